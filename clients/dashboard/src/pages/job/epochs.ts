// The epochs of one job as columns. History comes from /metrics, thinned out by the server; the
// newest epochs are appended as their events tell them. The events of all jobs skip epochs of fast
// jobs: where one is missing, the columns are read anew, calmly.
import {signal} from '@preact/signals';
import {get} from '../../api/client';
import {ended, type EpochEvent, type Job, type Metrics} from '../../api/types';

const POINTS = 1000; // asked for
const MOST = 2000; // then they are asked for again
const FINEST = 20_000;
const DRAW_MS = 200;
const CALM_MS = 1000;

// flat({train: {data_loss: 1}}) is {"train.data_loss": 1}: the names that /metrics has.
function flat(event: EpochEvent): Record<string, number | null> {
    const values: Record<string, number | null> = {};
    for (const [name, value] of Object.entries(event)) {
        if (typeof value === 'number')
            values[name] = value;
        else if (value && typeof value === 'object' && name !== 'nonfinite')
            for (const [part, inner] of Object.entries(value))
                if (typeof inner === 'number' || inner === null)
                    values[`${name}.${part}`] = inner;
    }
    delete values.seq;
    return values;
}

export class Epochs {
    readonly shown = signal<Metrics | null>(null);
    readonly fault = signal<unknown>(null);
    readonly thinned = signal(false);
    private columns: Metrics | null = null;
    private stride = 1; // a step that leaves nothing out
    private latest: EpochEvent | null = null;
    private done = false;
    private points = POINTS;
    private reading = false;
    private wanted = false; // once more, after the reading under way
    private readAt = 0;
    private pace = CALM_MS;
    private drawTimer: ReturnType<typeof setTimeout> | null = null;
    private readTimer: ReturnType<typeof setTimeout> | null = null;
    private closed = false;

    constructor(private readonly id: string) {
        void this.read();
    }

    close(): void {
        this.closed = true;
        clearTimeout(this.drawTimer ?? undefined);
        clearTimeout(this.readTimer ?? undefined);
    }

    // The job as it is now: its latest epoch may be a new one.
    take(job: Job): void {
        const end = ended(job.status);
        this.latest = job.latest;
        if (end && !this.done && this.columns)
            this.want(0); // the last word
        this.done = end;
        if (!job.latest || !this.columns)
            return;
        const {epoch} = this.columns;
        const last = epoch?.[epoch.length - 1] ?? 0;
        if (job.latest.epoch <= last)
            return;
        if (job.latest.epoch - last > this.stride || (epoch?.length ?? 0) >= Math.max(MOST, 2 * this.points))
            this.want(this.pace);
        this.append(job.latest);
    }

    // More points, for a chart that is zoomed in: once, of a job that has ended, and only where points
    // were left out.
    refine(): void {
        if (!this.thinned.peek() || !this.done || this.points === FINEST)
            return;
        this.points = FINEST;
        this.want(0);
    }

    retry(): void {
        this.fault.value = null;
        this.want(0);
    }

    private append(event: EpochEvent): void {
        const columns = this.columns!;
        const count = columns.epoch?.length ?? 0;
        const values = flat(event);
        for (const name of new Set([...Object.keys(columns), ...Object.keys(values)])) {
            const column = (columns[name] ??= Array<number | null>(count).fill(null));
            column.push(values[name] ?? null);
        }
        this.drawTimer ??= setTimeout(() => this.draw(), DRAW_MS);
    }

    private draw(): void {
        this.drawTimer = null;
        if (this.columns && !this.closed)
            this.shown.value = {...this.columns};
    }

    private want(wait: number): void {
        if (this.reading) {
            this.wanted = true;
            return;
        }
        if (wait === 0) {
            clearTimeout(this.readTimer ?? undefined);
            void this.read();
            return;
        }
        this.readTimer ??= setTimeout(() => void this.read(), Math.max(0, this.readAt + wait - Date.now()));
    }

    private async read(): Promise<void> {
        this.readTimer = null;
        if (this.closed)
            return;
        this.reading = true;
        const began = Date.now();
        try {
            const columns = await get<Metrics>(`v1/jobs/${encodeURIComponent(this.id)}/metrics`,
                {query: {max_points: this.points}});
            const epochs = (columns.epoch ??= []) as number[];
            const last = epochs[epochs.length - 1] ?? 0;
            this.stride = epochs.length > 1
                ? Math.ceil((last - epochs[0]!) / (epochs.length - 1)) : Math.max(1, last);
            this.columns = columns;
            this.thinned.value = epochs.length >= this.points - 2 && this.stride > 1;
            this.fault.value = null;
            this.draw();
        } catch (fault) {
            this.fault.value = fault;
        }
        this.readAt = Date.now();
        this.pace = Math.max(CALM_MS, 5 * (this.readAt - began));
        this.reading = false;
        const {latest, columns} = this;
        const epochs = columns?.epoch ?? [];
        const behind = latest && columns && latest.epoch > (epochs[epochs.length - 1] ?? 0);
        if (this.wanted || (behind && !this.fault.peek()))
            this.want(this.pace);
        this.wanted = false;
    }
}

// The index of the row of an epoch, or of the last one before it; -1: there is none.
export function rowOf(columns: Metrics, epoch: number): number {
    const epochs = columns.epoch ?? [];
    let low = 0;
    let high = epochs.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (epochs[middle]! <= epoch)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

// An exponential moving average, corrected for its start. Gaps stay gaps.
export function smooth(values: (number | null)[], weight: number): (number | null)[] {
    if (weight <= 0)
        return values;
    let sum = 0;
    let total = 0;
    return values.map(value => {
        if (value === null)
            return null;
        sum = weight * sum + (1 - weight) * value;
        total = weight * total + (1 - weight);
        return sum / total;
    });
}
