// A tab's side of the events of all jobs: who listens, and whether they come.
import {effect, signal} from '@preact/signals';
import {get, locked} from '../api/client';
import type {JobEvent} from '../api/types';
import {EventStream, type FromTab, type ToTab} from './stream';

declare const EVENTS_WORKER: string; // from build.mjs

export const connected = signal(false);

const RETRY_MS = 3000;

export type Listener = (event: JobEvent, id: number) => void;
const listeners = new Set<Listener>();
const afterBatch = new Set<() => void>();
let onReset: () => void = () => {};
let tell: ((message: FromTab) => void) | null = null;

function take(message: ToTab): void {
    if (message.kind === 'state') {
        connected.value = message.live;
        return;
    }
    if (message.kind === 'reset') {
        onReset();
        return;
    }
    for (const told of message.events) {
        const event = JSON.parse(told.body) as JobEvent;
        for (const listener of listeners)
            listener(event, told.id);
    }
    for (const done of afterBatch)
        done();
}

function connect(): (message: FromTab) => void {
    if (typeof SharedWorker === 'function') {
        const worker = new SharedWorker(EVENTS_WORKER, {name: 'ockham-events', type: 'module'});
        // Its file did not come: the server went just now.
        worker.onerror = () => {
            tell = null;
            setTimeout(() => onReset(), RETRY_MS);
        };
        const {port} = worker;
        port.onmessage = ({data}: MessageEvent<ToTab>) => take(data);
        return message => port.postMessage(message);
    }
    const stream = new EventStream(new URL('v1/events', document.baseURI).href);
    const port = {postMessage: take};
    return message => stream.hear(port, message);
}

// Events behind number `after` come from now on; reset is called when the list has to be taken
// again.
export function follow(after: number, reset: () => void): void {
    onReset = reset;
    tell ??= connect();
    tell({kind: 'from', after});
    wonder();
}

// Hears every event until the returned function is called.
export function listen(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

// Is called behind each batch of events: the moment to draw.
export function listenBatches(done: () => void): () => void {
    afterBatch.add(done);
    return () => afterBatch.delete(done);
}

// An EventSource does not say why it was refused. The server may want a token by now, or another one.
let asking: ReturnType<typeof setTimeout> | null = null;

async function ask(): Promise<void> {
    const session = await get<{signed_in: boolean}>('v1/session').catch(() => null);
    if (session && !session.signed_in)
        locked.value = true;
    asking = null;
    wonder();
}

function wonder(): void {
    if (!connected.peek() && !locked.peek() && tell)
        asking ??= setTimeout(() => void ask(), RETRY_MS);
}

effect(() => {
    void connected.value;
    void locked.value;
    wonder();
});

addEventListener('pagehide', () => tell?.({kind: 'leave'}));

// A page that comes back from the browser's cache or from a long sleep may have a dead connection.
let hiddenAt = 0;
addEventListener('pageshow', event => {
    if (event.persisted)
        onReset();
});
document.addEventListener('visibilitychange', () => {
    if (document.hidden)
        hiddenAt = Date.now();
    else if (hiddenAt && Date.now() - hiddenAt > 60_000)
        tell?.({kind: 'check'});
});
addEventListener('online', () => tell?.({kind: 'check'}));
