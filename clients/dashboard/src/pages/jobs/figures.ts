// What the table shows of a job, as numbers: the same for cells and for sorting.
import {ended, type Job} from '../../api/types';

// The loss whose course is drawn: validation rows' if there are any, else training rows'.
export function lossName(job: Job): 'validation.data_loss' | 'train.data_loss' {
    return job.latest && !job.latest.validation ? 'train.data_loss' : 'validation.data_loss';
}

export function lossNow(job: Job): number | null {
    return (job.latest?.validation ?? job.latest?.train)?.data_loss ?? null;
}

// The least one so far, where the job looks for the least loss.
export function lossBest(job: Job): number | null {
    return job.best?.metric.endsWith('data_loss') ? job.best.value : null;
}

export const gapOf = (job: Job): number | null => job.latest?.gap?.loss ?? null;
export const speedOf = (job: Job): number | null => job.latest?.samples_per_s ?? null;

// Seconds of training: measured by the worker while it runs, by the clock when it has ended.
export function secondsOf(job: Job): number | null {
    if (ended(job.status) && job.started_at && job.finished_at)
        return (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000;
    return job.latest?.elapsed_s ?? null;
}

export const leftOf = (job: Job): number | null => (job.status === 'running' ? job.progress.eta_s : null);

export function fractionOf(job: Job): number {
    return job.status === 'succeeded' ? 1 : job.progress.fraction;
}
