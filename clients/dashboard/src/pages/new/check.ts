// What the server thinks of the draft, a moment after each change: an answer that has been overtaken
// is aborted. The draft is also sent from here, with one key for each attempt, so that a second click
// or a repeated request makes no second job.
import {computed, effect, signal, untracked} from '@preact/signals';
import {Problem, request, type Fault} from '../../api/client';
import type {Job} from '../../api/types';
import {parseFault, spec, text} from './draft';
import {at, type Json, type JsonObject, type Path} from './json';

export interface Answer {
    resolved: JsonObject;
    parameters: number;
    memory_bytes: number;
    steps_per_epoch: number;
    trials?: number;
    runs?: number;
    warnings: {code: string; message: string}[];
    conversions?: Record<string, Json>;
}

export const answer = signal<Answer | null>(null); // the last good one
let asked: JsonObject = {}; // what it is the answer to
export const problem = signal<Problem | null>(null);
export const checking = signal(false);
export const faults = computed<Fault[]>(() => problem.value?.errors ?? []);

// Data are yet to be chosen: no fault of anybody's.
export const noData = computed(() => !at(spec.value, ['data', 'dataset']) && at(spec.value, ['data', 'inline']) === undefined);
export const realFaults = computed(() => faults.value.filter(each => !(noData.value && each.pointer === '/data/dataset')));

const WAIT_MS = 300;
let users = 0;
let stop: (() => void) | null = null;

function watch(): () => void {
    let timer: ReturnType<typeof setTimeout> | null = null, sent: AbortController | null = null;
    const ask = async (body: string) => {
        const mine = (sent = new AbortController()), now = spec.peek();
        try {
            const said = await request<Answer>('POST', 'v1/jobs/validate', {body, signal: mine.signal});
            if (mine.signal.aborted)
                return;
            asked = now;
            answer.value = said;
            problem.value = null;
        } catch (fault) {
            if (mine.signal.aborted)
                return;
            problem.value = fault as Problem;
            if ((fault as Problem).status === 0)
                timer = setTimeout(() => void ask(body), 2500);
        }
        if (sent === mine)
            checking.value = false;
    };
    const end = effect(() => {
        const body = text.value, bad = parseFault.value;
        untracked(() => {
            sent?.abort();
            if (timer)
                clearTimeout(timer);
            checking.value = !bad;
            if (!bad)
                timer = setTimeout(() => void ask(body), WAIT_MS);
        });
    });
    return () => {
        end();
        sent?.abort();
        if (timer)
            clearTimeout(timer);
    };
}

// Checks while somebody looks.
export function attend(): () => void {
    if (!users++)
        stop = watch();
    return () => {
        if (!--users)
            stop?.();
    };
}

// What is so where nothing is said, as resolved for this very job. What was said there when the server was
// asked is no default.
export function resolvedAt(path: Path): Json | undefined {
    return answer.value && at(asked, path) === undefined ? at(answer.value.resolved, path) : undefined;
}

export const faultsOf = (pointer: string, below: boolean): Fault[] => realFaults.value.filter(each =>
    each.pointer === pointer || (below && each.pointer?.startsWith(pointer + '/')));

export const sending = signal(false);
export const sendFault = signal<Problem | null>(null);
let attempt: {body: string; key: string} | null = null;

function newKey(): string {
    return [...crypto.getRandomValues(new Uint8Array(16))].map(each => each.toString(16).padStart(2, '0')).join('');
}

// The job; null: it was refused, or is being sent already.
export async function submit(): Promise<Job | null> {
    if (sending.peek() || parseFault.peek())
        return null;
    const body = text.peek();
    if (attempt?.body !== body)
        attempt = {body, key: newKey()};
    sending.value = true;
    sendFault.value = null;
    try {
        const job = await request<Job>('POST', 'v1/jobs', {body, headers: {'Idempotency-Key': attempt.key}});
        attempt = null;
        return job;
    } catch (fault) {
        const why = fault as Problem;
        if (why.code === 'invalid_spec')
            problem.value = why;
        sendFault.value = why;
        return null;
    } finally {
        sending.value = false;
    }
}
