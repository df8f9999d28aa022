// Which jobs are shown, and in which order: a value that stands in the address.
import {ended, type Job, type Status} from '../../api/types';
import {jobName} from '../../ui/format';
import {fractionOf, gapOf, lossBest, lossNow, secondsOf, speedOf} from './figures';

export const STATUSES: Status[] = ['running', 'queued', 'paused', 'succeeded', 'failed', 'cancelled'];

export interface Filter {
    text: string;
    statuses: Status[]; // none: all
    labels: string[]; // "key=value"; one of each key
    sort: string; // "loss"; "-loss" begins with the largest
}

export const NEWEST = '-created';

export function readFilter(query: URLSearchParams): Filter {
    const statuses = (query.get('status') ?? '').split(',').filter(each => STATUSES.includes(each as Status));
    const labels = (query.get('label') ?? '').split(',').filter(Boolean).map(part => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
    const sort = query.get('sort') ?? NEWEST;
    return {text: query.get('q') ?? '', statuses: statuses as Status[], labels,
        sort: Object.hasOwn(KEYS, sort.replace(/^-/, '')) ? sort : NEWEST};
}

export function writeFilter(filter: Partial<Filter>): Record<string, string | null> {
    const query: Record<string, string | null> = {};
    if (filter.text !== undefined)
        query.q = filter.text || null;
    if (filter.statuses)
        query.status = filter.statuses.join(',') || null;
    if (filter.labels)
        query.label = filter.labels.map(encodeURIComponent).join(',') || null;
    if (filter.sort)
        query.sort = filter.sort === NEWEST ? null : filter.sort;
    return query;
}

// Every word must occur somewhere in name, id, dataset or labels.
export function matches(job: Job, words: string[]): boolean {
    if (!words.length)
        return true;
    const labels = Object.entries(job.labels ?? {}).map(([key, value]) => `${key}=${value}`).join(' ');
    const text = `${job.name ?? ''} ${job.id} ${job.dataset?.name ?? ''} ${labels}`.toLowerCase();
    return words.every(word => text.includes(word));
}

export const wordsOf = (text: string): string[] => text.toLowerCase().split(/\s+/).filter(Boolean);

// A key may hold "=" itself, so whole labels are compared; what stands before the first one only says
// which of them are alternatives.
function hasLabels(job: Job, byKey: Map<string, Set<string>>): boolean {
    if (!byKey.size)
        return true;
    const own = Object.entries(job.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    return [...byKey.values()].every(wanted => own.some(label => wanted.has(label)));
}

function labelsByKey(labels: string[]): Map<string, Set<string>> {
    const byKey = new Map<string, Set<string>>();
    for (const label of labels) {
        const [key = ''] = label.split('=', 1);
        byKey.set(key, (byKey.get(key) ?? new Set()).add(label));
    }
    return byKey;
}

// What a column is sorted by. Texts and numbers; what is missing stands last either way.
const KEYS: Record<string, (job: Job) => string | number | null> = {
    created: job => job.id,
    name: job => jobName(job).toLowerCase(),
    status: job => STATUSES.indexOf(job.status),
    progress: job => (ended(job.status) && job.status !== 'succeeded' ? fractionOf(job) - 2 : fractionOf(job)),
    loss: job => lossBest(job) ?? lossNow(job),
    gap: gapOf,
    speed: speedOf,
    time: secondsOf,
};

// Columns that move while jobs run: their order is looked at less often.
export const moves = (sort: string): boolean => !/created|name|status/.test(sort);

export interface View {
    ids: string[]; // what is shown, in order
    counts: Record<string, number>; // by status, of what text and labels let through
    matching: number; // all of those
    labels: [string, number][]; // of all jobs
}

const LABELS_MAX = 300;

export function viewOf(jobs: Job[], filter: Filter): View {
    const words = wordsOf(filter.text);
    const byKey = labelsByKey(filter.labels);
    const counts: Record<string, number> = {};
    const labels = new Map<string, number>();
    const kept: Job[] = [];
    let matching = 0;
    for (const job of jobs) {
        for (const key in job.labels) {
            const label = `${key}=${job.labels[key]}`;
            const before = labels.get(label);
            if (before !== undefined || labels.size < LABELS_MAX)
                labels.set(label, (before ?? 0) + 1);
        }
        if (!matches(job, words) || !hasLabels(job, byKey))
            continue;
        matching++;
        counts[job.status] = (counts[job.status] ?? 0) + 1;
        if (!filter.statuses.length || filter.statuses.includes(job.status))
            kept.push(job);
    }
    const down = filter.sort.startsWith('-');
    const name = filter.sort.replace(/^-/, '');
    if (filter.sort !== NEWEST) {
        const key = KEYS[name]!;
        const keyed = kept.map((job, at) => ({id: job.id, key: key(job), at}));
        keyed.sort((a, b) => {
            if (a.key === null || b.key === null)
                return a.key === b.key ? a.at - b.at : a.key === null ? 1 : -1;
            const order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
            return (down ? -order : order) || a.at - b.at;
        });
        return {ids: keyed.map(each => each.id), counts, matching, labels: sorted(labels)};
    }
    return {ids: kept.map(job => job.id), counts, matching, labels: sorted(labels)};
}

const sorted = (labels: Map<string, number>): [string, number][] =>
    [...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

const equal = (a: string[], b: string[]): boolean => a.length === b.length && a.every((each, k) => each === b[k]);

// The old value's parts where they are the same: nothing is drawn anew for them.
export function keepSame(old: View, next: View): View {
    const ids = equal(old.ids, next.ids) ? old.ids : next.ids;
    const labels = JSON.stringify(old.labels) === JSON.stringify(next.labels) ? old.labels : next.labels;
    const counts = JSON.stringify(old.counts) === JSON.stringify(next.counts) ? old.counts : next.counts;
    return ids === old.ids && labels === old.labels && counts === old.counts ? old
        : {...next, ids, labels, counts};
}
