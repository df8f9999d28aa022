// The metrics of the runs that are compared: read in order, a few at a time, so that the first curves
// stand while the others come; live runs are prolonged by their events. The server thins to what a
// chart's width can show; when a zoom wants more points, they are read again.
import {signal} from '@preact/signals';
import {get} from '../../api/client';
import type {EpochEvent, Metrics} from '../../api/types';
import {listen} from '../../live/live';

const AT_ONCE = 4;
const POINTS_ALL = 400_000; // of all runs together
const TELL_MS = 400;

// What every run has: the table's results come from these.
export const BASE = ['validation.data_loss', 'train.data_loss', 'gap.loss', 'validation.accuracy', 'validation.rmse',
    'train.accuracy',
    'train.rmse', 'penalty.l1', 'penalty.l2', 'weights.zeros'];

export interface Run {
    id: string;
    columns: Map<string, number[]>; // by metric, "epoch" among them; NaN where missing
    points: number; // how many were asked for
    state: 'no' | 'asked' | 'read' | 'failed';
    fault: string;
    refused: string; // what was asked for in vain: not again and again
    early: EpochEvent[]; // told while the answer was under way
    over: boolean; // it ended meanwhile
}

function valueIn(event: EpochEvent, name: string): number {
    let at: unknown = event;
    for (const part of name.split('.'))
        at = (at as Record<string, unknown> | undefined)?.[part];
    return typeof at === 'number' ? at : NaN;
}

export class Runs {
    readonly version = signal(0); // grows when there is something new to draw
    private readonly runs = new Map<string, Run>();
    private order: string[] = [];
    private names: string[] = [];
    private points = 500;
    private working = 0;
    private timer: ReturnType<typeof setTimeout> | null = null;
    private readonly gone = new AbortController();
    private readonly stop = listen(event => {
        if (event.type === 'epoch')
            this.take(event);
        else if (event.type === 'end')
            this.end(event.job);
    });

    get(id: string): Run | undefined {
        return this.runs.get(id);
    }

    progress(): {read: number; failed: number; all: number} {
        const states = this.order.map(id => this.runs.get(id)?.state);
        return {read: states.filter(each => each === 'read').length,
            failed: this.order.filter(id => this.runs.get(id)?.fault).length, all: this.order.length};
    }

    // What is to be there. Runs that are no longer wanted are forgotten.
    want(ids: string[], names: string[], points: number): void {
        this.order = ids;
        this.names = [...new Set([...BASE, ...names, 'step', 'elapsed_s'])];
        this.points = Math.max(100, Math.min(10_000, Math.round(points), Math.floor(POINTS_ALL / Math.max(1,
            ids.length))));
        for (const id of [...this.runs.keys()])
            if (!ids.includes(id))
                this.runs.delete(id);
        for (const id of ids)
            if (!this.runs.has(id))
                this.runs.set(id, {id, columns: new Map(), points: 0, state: 'no', fault: '', refused: '', early: [],
                    over: false});
        this.begin();
        this.tell();
    }

    again(): void {
        for (const run of this.runs.values())
            if (run.state === 'failed' || run.refused) {
                run.state = 'no';
                run.refused = '';
            }
        this.want(this.order, this.names, this.points);
    }

    dispose(): void {
        this.stop();
        this.gone.abort();
        if (this.timer)
            clearTimeout(this.timer);
    }

    private lacks(run: Run): boolean {
        if (run.state === 'asked' || run.state === 'failed' || run.refused === this.asked())
            return false;
        return run.state === 'no' || this.names.some(name => !run.columns.has(name))
            // More points only if the run may have them.
            || (this.points > 1.2 * run.points && run.columns.get('epoch')!.length >= run.points);
    }

    private asked(): string {
        return `${this.points} ${this.names.join()}`;
    }

    private next(): Run | undefined {
        // First those without any curve.
        const runs = this.order.map(id => this.runs.get(id)!);
        return runs.find(run => run.state === 'no') ?? runs.find(run => this.lacks(run));
    }

    private async work(): Promise<void> {
        this.working++;
        for (let run = this.next(); run && !this.gone.signal.aborted; run = this.next())
            await this.read(run);
        this.working--;
    }

    private async read(run: Run): Promise<void> {
        const {names, points} = this;
        const asked = this.asked();
        const had = run.columns.size > 0;
        run.state = 'asked';
        try {
            const answer = await get<Metrics>(`v1/jobs/${encodeURIComponent(run.id)}/metrics`,
                {query: {names: names.join(','), max_points: points}, signal: this.gone.signal});
            run.columns = new Map(Object.entries(answer).map(([name, values]) =>
                [name, values.map(value => (value === null ? NaN : value))]));
            run.points = points;
            run.state = 'read';
            run.fault = run.refused = '';
            run.early.forEach(event => this.append(run, event));
        } catch (why) {
            run.state = had ? 'read' : 'failed';
            run.refused = asked;
            run.fault = String((why as Error)?.message ?? why);
        }
        run.early = [];
        if (run.over && run.state === 'read')
            run.state = 'no';
        run.over = false;
        this.tell();
    }

    private append(run: Run, event: EpochEvent): void {
        const epochs = run.columns.get('epoch');
        if (!epochs || epochs[epochs.length - 1]! >= event.epoch)
            return;
        for (const [name, values] of run.columns)
            values.push(valueIn(event, name));
        // A long live run is thinned by the server again.
        if (epochs.length > 3 * run.points && run.state === 'read')
            run.state = 'no';
    }

    private take(event: EpochEvent): void {
        const run = this.runs.get(event.job);
        if (!run)
            return;
        if (run.state === 'asked')
            run.early.push(event);
        else if (run.state === 'read')
            this.append(run, event);
        if (run.state === 'no')
            this.begin();
        this.tell();
    }

    // The events leave out epochs of fast jobs, the best one perhaps: at its end a run is read once more.
    private end(id: string): void {
        const run = this.runs.get(id);
        if (!run || run.state === 'failed')
            return;
        if (run.state === 'asked')
            run.over = true;
        else
            run.state = 'no';
        this.begin();
    }

    private begin(): void {
        while (this.working < AT_ONCE && !this.gone.signal.aborted && this.next())
            void this.work();
    }

    private tell(): void {
        this.timer ??= setTimeout(() => {
            this.timer = null;
            this.version.value++;
        }, this.version.peek() === 0 ? 0 : TELL_MS);
    }
}
