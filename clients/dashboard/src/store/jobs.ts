// All jobs that the server has, kept up to date by its events. Each job is a signal of its own, so
// that an epoch draws one row anew; `ids` changes only when jobs come or go; `revision` counts
// changes of any kind, at most a few a second, for what has to look at all of them.
import {batch, signal, type Signal} from '@preact/signals';
import {get, Problem} from '../api/client';
import {ended, type Job, type JobEvent, type JobPage} from '../api/types';
import {follow, listen, listenBatches} from '../live/live';

const jobs = new Map<string, Signal<Job>>();
// Deleted since the list was begun: an answer under way must not bring them back.
const gone = new Set<string>();
export const ids = signal<string[]>([]); // newest first
export const revision = signal(0);
export const loaded = signal<'no' | 'some' | 'all'>('no');
export const loadFault = signal<Problem | null>(null);

const PAGE = 100;
const GONE_MAX = 10_000;

export function jobOf(id: string): Signal<Job> | undefined {
    return jobs.get(id);
}

export function allJobs(): Job[] {
    // A job that was dropped stands in ids until the next drawing.
    return ids.peek().flatMap(id => jobs.get(id)?.peek() ?? []);
}

let orderIsStale = false;
let drawTimer: ReturnType<typeof setTimeout> | null = null;

function touched(): void {
    drawTimer ??= setTimeout(draw, 100);
}

function draw(): void {
    if (drawTimer)
        clearTimeout(drawTimer);
    drawTimer = null;
    batch(() => {
        if (orderIsStale)
            ids.value = [...jobs.keys()].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
        orderIsStale = false;
        revision.value++;
    });
}

// Takes a job as the server tells it, new or known.
export function put(job: Job): void {
    if (gone.has(job.id))
        return;
    const known = jobs.get(job.id);
    if (known) {
        // An event may have been faster than this answer.
        const latest = known.peek().latest;
        const late = latest && !ended(job.status) && latest.seq > (job.latest?.seq ?? 0);
        known.value = late ? {...job, latest, best: known.peek().best} : job;
    } else {
        jobs.set(job.id, signal(job));
        orderIsStale = true;
    }
    touched();
}

// Takes a job that was deleted out of the list.
export function drop(id: string): void {
    forget(id);
    gone.add(id);
    if (gone.size > GONE_MAX)
        gone.delete(gone.values().next().value!);
    remove(id);
}

function remove(id: string): void {
    if (jobs.delete(id)) {
        orderIsStale = true;
        touched();
    }
}

// fetchJob reads one job anew; null: there is no such job.
export async function fetchJob(id: string): Promise<Job | null> {
    try {
        const job = await get<Job>(`v1/jobs/${encodeURIComponent(id)}`);
        put(job);
        return job;
    } catch (fault) {
        if (fault instanceof Problem && fault.status === 404) {
            drop(id);
            return null;
        }
        throw fault;
    }
}

// Jobs to be read anew, each at most once in half a second. While the list is read they wait: it may
// have them, and must not be begun again and again.
const WANT_MS = 500;
const wanted = new Set<string>();
let wantedTimer: ReturnType<typeof setTimeout> | null = null;

// A job that is being deleted is not read anew: the browser would log a 404.
export const forget = (id: string): boolean => wanted.delete(id);

function want(id: string, wait = WANT_MS): void {
    wanted.add(id);
    wantedTimer ??= setTimeout(() => {
        wantedTimer = null;
        const now = [...wanted];
        if (busy) {
            want(id);
            return;
        }
        wanted.clear();
        // Where many came at once, the list has them cheaper.
        if (now.length > 20)
            void load();
        else
            for (const each of now)
                void fetchJob(each).catch((fault: Problem) => fault.status !== 401 && want(each, 5 * WANT_MS));
    }, wait);
}

function apply(event: JobEvent): void {
    if (event.type === 'deleted') {
        drop(event.job);
        return;
    }
    const known = jobs.get(event.job);
    if (!known) {
        if (loaded.peek() !== 'no')
            want(event.job);
        return;
    }
    const job = known.peek();
    switch (event.type) {
    case 'epoch': {
        if (job.latest && job.latest.seq >= event.seq)
            return;
        const trials = job.progress.trials;
        known.value = {
            ...job,
            latest: event,
            best: event.best ?? job.best,
            progress: {
                ...job.progress,
                fraction: trials ? job.progress.fraction : event.epoch / event.epochs,
                epoch: event.epoch,
                epochs: event.epochs,
                eta_s: event.eta_s,
            },
        };
        break;
    }
    case 'progress': {
        if (ended(job.status))
            return;
        const search = event.trials !== undefined;
        const fraction = search ? event.fraction
            : (Math.max(0, event.epoch - 1) + event.fraction) / Math.max(1, job.progress.epochs);
        known.value = {
            ...job,
            progress: {
                ...job.progress,
                fraction: Math.max(fraction, job.progress.fraction),
                ...(search ? {trials: {done: event.trials_done ?? 0, total: event.trials!}} : {}),
            },
        };
        break;
    }
    case 'state':
        known.value = {
            ...job,
            status: event.status,
            attempt: event.attempt,
            started_at: job.started_at ?? (event.status === 'running' ? event.time : null),
        };
        want(event.job);
        break;
    case 'end':
        known.value = {...job, status: event.status, stop_reason: event.stop_reason};
        want(event.job);
        break;
    case 'trial':
    case 'warning':
    case 'changed':
        want(event.job);
        break;
    default:
        return;
    }
    touched();
}

let loading = 0;
let busy = false; // the list is being read

// Takes the list, page by page, and follows the events from where it stands. Jobs that are no
// longer in it go.
export async function load(): Promise<void> {
    const mine = ++loading;
    busy = true;
    gone.clear();
    const before = [...jobs.keys()];
    const seen = new Set<string>();
    let next: string | null = null;
    let after: number | null = null;
    try {
        do {
            const page: JobPage = await get<JobPage>('v1/jobs', {query: {limit: PAGE, after: next}});
            if (mine !== loading)
                return;
            for (const job of page.items) {
                seen.add(job.id);
                put(job);
            }
            if (after === null) {
                after = page.events_after;
                follow(after, () => void load());
            }
            next = page.next;
            if (loaded.peek() !== 'all')
                draw(); // the first jobs stand there when `loaded` says so
            loaded.value = next ? 'some' : 'all';
        } while (next);
        // What came while the list was read was told by an event, and stays.
        for (const id of before)
            if (!seen.has(id))
                remove(id);
        loadFault.value = null;
        busy = false;
    } catch (fault) {
        if (mine !== loading)
            return;
        busy = false;
        loadFault.value = fault as Problem;
        if ((fault as Problem).status !== 401)
            setTimeout(() => mine === loading && void load(), 2000);
    }
}

listen(apply);
listenBatches(touched);
