// What runs have come to. Figures of an epoch are those of the run's best epoch, from the metrics:
// the server always keeps that epoch in them.
import type {Job} from '../../api/types';
import {duration, number, percent, short, whole} from '../../ui/format';
import {secondsOf} from '../jobs/figures';
import type {Runs} from './runs';

export interface Result {
    id: string;
    title: string;
    column: string; // its name in CSV
    help: string;
    better?: 'less' | 'more'; // which one is marked as the best
    value: (job: Job, runs: Runs) => number | string | null;
    show: (value: number) => string;
}

export function bestIndex(job: Job, runs: Runs): number {
    const epochs = runs.get(job.id)?.columns.get('epoch');
    if (!epochs || !job.best)
        return -1;
    return epochs.lastIndexOf(job.best.epoch);
}

const atBest = (name: string) => (job: Job, runs: Runs): number | null => {
    const value = runs.get(job.id)?.columns.get(name)?.[bestIndex(job, runs)];
    return value !== undefined && Number.isFinite(value) ? value : null;
};

// A metric of the best epoch.
function metric(id: string, title: string, column: string, show: Result['show'], better?: Result['better']): Result {
    return {id, title, column, help: `${column} at the best epoch`, value: atBest(column), show,
        ...(better ? {better} : {})};
}

const digits = (count: number) => (value: number): string => number(value, count);

export const RESULTS: Result[] = [
    {id: 'data_loss', title: 'Validation loss', column: 'validation.data_loss',
        help: 'validation.data_loss at the best epoch',
        better: 'less', show: digits(5), value: (job, runs) => atBest('validation.data_loss')(job, runs)
            ?? (job.best?.metric === 'validation.data_loss' ? job.best.value : null)},
    {id: 'epoch', title: 'Best epoch', column: 'best.epoch', help: 'The epoch that the model is taken from',
        value: job => job.best?.epoch ?? null, show: whole},
    metric('accuracy', 'Accuracy', 'validation.accuracy', value => percent(value), 'more'),
    metric('rmse', 'RMSE', 'validation.rmse', digits(5), 'less'),
    metric('train', 'Training loss', 'train.data_loss', digits(5)),
    metric('gap', 'Gap', 'gap.loss', digits(4), 'less'),
    metric('l1', 'Penalty L1', 'penalty.l1', digits(4)),
    metric('l2', 'Penalty L2', 'penalty.l2', digits(4)),
    metric('zeros', 'Zeros', 'weights.zeros', whole),
    {id: 'speed', title: 'Samples/s', column: 'samples_per_s', help: 'Of the last epoch', better: 'more',
        value: job => job.latest?.samples_per_s ?? null, show: short},
    {id: 'time', title: 'Time', column: 'seconds', help: 'From start to end, or so far', better: 'less',
        value: secondsOf, show: duration},
    {id: 'status', title: 'Status', column: 'status', help: 'As it is now', value: job => job.status, show: String},
];
