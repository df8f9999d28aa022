// What a job's codes mean, in words.
import {get} from '../../api/client';
import type {EndEvent, Job, JobEvent, Scores} from '../../api/types';

const STOPS: Record<string, string> = {
    epochs: 'all epochs are done',
    early_stopping: 'early stopping: the metric had not improved for long enough',
    deadline: 'its deadline: the best model so far was kept',
    stopped: 'somebody stopped it: the best model so far was kept',
    cancelled: 'somebody cancelled it: nothing was kept',
    nonfinite: 'training diverged: a loss, a gradient or a weight was not finite',
    crash: 'its worker died, again and again at the same place',
    memory: 'there was not enough memory',
    not_reproducible: 'a resumed run did not meet the bits of the first one',
    data: 'the data cannot be trained on',
};

export const stopText = (reason: string): string => STOPS[reason] ?? reason;

export const RULES: Record<string, string> = {
    not_measured: 'No epoch was measured.',
    no_validation: 'There are no validation rows (with weight).',
    not_learning: 'Training loss, at the epoch of the least validation loss and at last, is not below that of the '
        + 'best constant prediction.',
    too_early: 'Only one epoch was looked at.',
    overfits: 'Either validation loss ended more than 1 % above its lowest point, at least two measured epochs after '
        + 'it, while training loss fell; or at the best epoch validation loss is more than 1.5 times training loss, '
        + 'the gap is more than 5 % of a constant prediction’s loss, and its interval is above 0.',
    unstable: 'Validation loss ended more than 1 % above its lowest point, at least two measured epochs after it, and '
        + 'training loss did not fall since.',
    still_improving: 'The last epoch has the least validation loss, which fell by at least 0.1 % since the measure '
        + 'before, and early stopping did not end the job.',
    underfits: 'At the best epoch training loss is above 90 % of that of a constant prediction.',
    fits: 'No other rule holds: validation loss is close to training loss and has stopped falling.',
};

export interface ReportAt {
    epoch: number;
    train: Scores;
    validation?: Scores | null;
    gap?: {loss: number | null; low: number | null; high: number | null} | null;
}

export interface Report {
    verdict: string;
    sentence: string;
    suggested_l2: number | null;
    best: ReportAt | null;
    last: ReportAt | null;
}

export interface End extends EndEvent {
    lambda_hat?: number | null;
    report?: Report | null;
}

// The end event of a job that has ended: its last. null: it is not there (yet).
export async function readEnd(job: Job): Promise<End | null> {
    interface Page {
        items: JobEvent[];
        next: number | null;
    }
    let after: number | null = job.latest?.seq ?? 0;
    while (after !== null) {
        const page: Page = await get<Page>(`v1/jobs/${encodeURIComponent(job.id)}/events`,
            {query: {format: 'json', after, limit: 1000}});
        const end = page.items.find(event => event.type === 'end');
        if (end)
            return end as End;
        after = page.items.length ? page.next : null;
    }
    return null;
}

// The figure beside the loss that people look at: accuracy of classes, rmse of numbers.
export const NUMBER_SCORES = ['rmse', 'mae', 'mse', 'r2'] as const;
export type ScoreName = 'accuracy' | (typeof NUMBER_SCORES)[number];
export const SCORE_TITLES: Record<ScoreName, string> = {
    accuracy: 'Accuracy', rmse: 'RMSE', mae: 'MAE', mse: 'MSE', r2: 'R²',
};

export const isClasses = (job: Job): boolean => {
    const data = job.resolved?.data as {target_type?: string} | undefined;
    return data?.target_type ? data.target_type === 'classes' : job.latest?.train.accuracy !== undefined;
};

export const hasValidation = (job: Job): boolean => {
    if (job.latest)
        return job.latest.validation !== undefined;
    const data = job.resolved?.data as {validation?: unknown} | undefined;
    return data?.validation !== 0 && data?.validation !== null;
};

export const isSearch = (job: Job): boolean => !!(job.resolved as {tune?: unknown} | null)?.tune;
