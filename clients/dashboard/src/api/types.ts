// What the server sends, as API.md and SPEC.md name it. Numbers that are not finite are null.
export type Status = 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled';

export interface Scores {
    data_loss: number | null;
    accuracy?: number | null;
    mse?: number | null;
    rmse?: number | null;
    mae?: number | null;
    r2?: number | null;
    running_loss?: number | null;
}

export interface Best {
    epoch: number;
    metric: string;
    value: number | null;
}

export interface EpochEvent {
    type: 'epoch';
    job: string;
    seq: number;
    time: string;
    epoch: number;
    epochs: number;
    step: number;
    train: Scores;
    validation?: Scores;
    penalty: {l1: number; l2: number};
    objective: number | null;
    gap?: {loss: number | null; accuracy?: number | null};
    weights: {
        l1_norm: number;
        l2_norm: number;
        zeros: number;
        count: number;
        near_zeros: number;
    };
    lr: number;
    best?: Best | null;
    samples: number;
    samples_per_s: number;
    threads: number;
    elapsed_s: number;
    eta_s: number | null;
    nonfinite?: Record<string, string>;
    weights_sha256: string;
}

export interface TrialEvent {
    type: 'trial';
    job: string;
    seq: number;
    trial: number;
    trials: number;
    status: string;
    [name: string]: unknown;
}

export interface StateEvent {
    type: 'state';
    job: string;
    seq: number;
    time: string;
    status: Status;
    attempt: number;
    reason: string | null;
}

export interface ProgressEvent {
    type: 'progress';
    job: string;
    epoch: number;
    fraction: number;
    running_loss?: number | null;
    trials_done?: number;
    trials?: number;
}

export interface EndEvent {
    type: 'end';
    job: string;
    seq: number;
    time: string;
    status: Status;
    stop_reason: string;
    best: Best | null;
    latest: EpochEvent | null;
    test?: Scores;
    [name: string]: unknown;
}

export interface WarningEvent {
    type: 'warning';
    job: string;
    seq: number;
    time: string;
    code: string;
    message: string;
}

export interface LogEvent {
    type: 'log';
    job: string;
    seq: number;
    time: string;
    level: string;
    message: string;
}

export interface CheckpointEvent {
    type: 'checkpoint';
    job: string;
    seq: number;
    time: string;
    epoch: number;
    step: number;
    bytes: number;
}

// Another name, other labels or another priority.
export interface ChangedEvent {
    type: 'changed';
    job: string;
    time: string;
}

export interface DeletedEvent {
    type: 'deleted';
    job: string;
    time: string;
}

export type JobEvent = EpochEvent | TrialEvent | StateEvent | ProgressEvent | EndEvent |
    WarningEvent | LogEvent | CheckpointEvent | ChangedEvent | DeletedEvent;

export interface Job {
    id: string;
    name: string | null;
    status: Status;
    labels: Record<string, string>;
    priority: number;
    created_at: string;
    started_at: string | null;
    finished_at: string | null;
    dataset: {id: string; name: string; sha256: string} | null;
    progress: {
        fraction: number;
        epoch: number;
        epochs: number;
        eta_s: number | null;
        trials?: {done: number; total: number};
    };
    latest: EpochEvent | null;
    best: Best | null;
    spec: Record<string, unknown>;
    resolved: Record<string, unknown> | null;
    attempt: number;
    stop_reason: string | null;
    warnings: unknown[];
    error: {title: string; detail: string; code: string} | null;
    model?: {bytes: number; sha256: string; parameters: number; pruned?: unknown} | null;
    links: Record<string, string>;
    [name: string]: unknown;
}

export interface JobPage {
    items: Job[];
    next: string | null;
    events_after: number;
}

// Columns over the epochs: {"epoch": […], "train.data_loss": […]}.
export type Metrics = Record<string, (number | null)[]>;

export const ended = (status: Status): boolean =>
    status === 'succeeded' || status === 'failed' || status === 'cancelled';
