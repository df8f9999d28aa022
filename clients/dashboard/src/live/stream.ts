// One reading of /v1/events for any number of tabs: it runs in a SharedWorker, or, where there is
// none, in the tab itself. A browser opens six connections to a host; one per tab would stall the
// seventh tab's requests.
//
// A tab takes the list of jobs first and then says from which number on it wants events. What
// other tabs have been told lately is kept, so that a new tab needs no connection of its own.

export interface Told {
    id: number; // the store's number; 0 for what is live only
    body: string; // JSON
}

export type ToTab =
    | {kind: 'events'; events: Told[]}
    | {kind: 'state'; live: boolean}
    | {kind: 'reset'}; // take the list again, then say `from`

export type FromTab =
    | {kind: 'from'; after: number}
    | {kind: 'check'} // the tab was asleep: make sure that the connection is alive
    | {kind: 'leave'};

export interface Port {
    postMessage(message: ToTab): void;
}

const KEPT = 4000;
const RETRY_MS = [500, 1000, 2000, 5000];

// EventSource gives only what it is told to listen for; unnamed types go unheard.
const TYPES = ['state', 'epoch', 'trial', 'checkpoint', 'warning', 'log', 'end', 'progress',
    'changed', 'deleted', 'reset'];

export class EventStream {
    private readonly ports = new Set<Port>();
    private source: EventSource | null = null;
    private kept: Told[] = [];
    private since = 0; // kept has all that came behind this number
    private last = 0;
    private live = false;
    private failures = 0;
    private retry: ReturnType<typeof setTimeout> | null = null;
    private outbox: Told[] = [];
    private flush: ReturnType<typeof setTimeout> | null = null;

    constructor(private readonly address: string) {}

    hear(port: Port, message: FromTab): void {
        if (message.kind === 'leave')
            this.leave(port);
        else if (message.kind === 'check')
            this.reopen();
        else
            this.join(port, message.after);
    }

    private join(port: Port, after: number): void {
        this.send();
        this.ports.add(port);
        if (!this.source && !this.retry) {
            this.since = this.last = after;
            this.kept = [];
            this.open();
        } else if (after < this.since) {
            port.postMessage({kind: 'reset'});
        } else {
            const missed = this.kept.filter(told => told.id > after);
            if (missed.length)
                port.postMessage({kind: 'events', events: missed});
        }
        port.postMessage({kind: 'state', live: this.live});
    }

    private leave(port: Port): void {
        this.ports.delete(port);
        if (this.ports.size)
            return;
        this.close();
    }

    private close(): void {
        this.source?.close();
        this.source = null;
        if (this.retry)
            clearTimeout(this.retry);
        this.retry = null;
        this.turn(false);
    }

    private reopen(): void {
        if (!this.ports.size)
            return;
        this.close();
        this.open();
    }

    private open(): void {
        const source = new EventSource(`${this.address}?after=${this.last}`);
        this.source = source;
        source.onopen = () => {
            this.failures = 0;
            this.turn(true);
        };
        source.onerror = () => {
            this.turn(false);
            if (source.readyState !== EventSource.CLOSED || this.source !== source)
                return; // it tries again by itself
            this.source = null;
            const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
            this.retry = setTimeout(() => {
                this.retry = null;
                this.open();
            }, wait);
        };
        for (const type of TYPES)
            source.addEventListener(type, event => this.take(type, event as MessageEvent<string>));
    }

    private take(type: string, event: MessageEvent<string>): void {
        if (type === 'reset') {
            this.reset(event.data);
            return;
        }
        const numbered = type !== 'progress' && event.lastEventId !== '';
        const id = numbered ? Number(event.lastEventId) : 0;
        const told = {id, body: event.data};
        if (id > 0) {
            this.last = Math.max(this.last, id);
            this.kept.push(told);
            if (this.kept.length > KEPT) {
                const gone = this.kept.splice(0, KEPT / 4);
                this.since = gone[gone.length - 1]!.id;
            }
        }
        this.outbox.push(told);
        this.flush ??= setTimeout(() => this.send(), 50);
    }

    // The server could not tell all that came meanwhile.
    private reset(body: string): void {
        this.send();
        const after = (JSON.parse(body) as {events_after: number}).events_after;
        this.since = this.last = after;
        this.kept = [];
        for (const port of this.ports)
            port.postMessage({kind: 'reset'});
    }

    private send(): void {
        if (this.flush)
            clearTimeout(this.flush);
        this.flush = null;
        const events = this.outbox;
        this.outbox = [];
        if (events.length)
            for (const port of this.ports)
                port.postMessage({kind: 'events', events});
    }

    private turn(live: boolean): void {
        if (this.live === live)
            return;
        this.live = live;
        for (const port of this.ports)
            port.postMessage({kind: 'state', live});
    }
}
