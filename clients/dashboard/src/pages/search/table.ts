// The table of a search as the server tells it, and what a page wants to know of it: which strength
// goes along an axis, which trials make a curve, and the spec of one trial alone.
import type {Job, JobEvent, Status} from '../../api/types';

export const STRENGTHS = ['l1', 'l2', 'weight_decay', 'dropout'] as const;
export type Strength = (typeof STRENGTHS)[number];

export interface Trial {
    trial: number;
    trials: number;
    l1?: number;
    l2?: number;
    weight_decay?: number;
    dropout?: number;
    mean_data_loss: number | null;
    standard_error: number | null;
    mean_accuracy?: number | null;
    mean_rmse?: number | null;
    train_data_loss: number | null;
    zeros: number | null;
    count: number;
    l2_norm: number | null;
    folds: (number | null)[];
    best_epochs?: number[];
    weights_sha256?: (string | null)[];
    epochs: number;
    status: 'succeeded' | 'failed' | 'ended';
    error?: string;
}

export interface Choice {
    trial: number;
    l1?: number;
    l2?: number;
    weight_decay?: number;
    dropout?: number;
}

export interface PathPoint {
    l1: number;
    l2: number;
    zeros: number;
    weights: number[];
    bias: number[];
}

export interface Table {
    job: string;
    status: Status;
    rule: 'min' | '1se';
    folds: number;
    fold_assignment: string;
    rows: number | null;
    trials_total: number;
    chosen: Choice | null;
    min: Choice | null;
    one_se: Choice | null;
    trials: Trial[];
    path?: PathPoint[];
}

export function isSearch(job: Job): boolean {
    return job.spec?.tune !== undefined && job.spec.tune !== null;
}

// The table with a trial more, in the order of the table; a trial that is known already is replaced.
export function withTrial(table: Table, event: JobEvent): Table {
    const trial = event as unknown as Trial;
    return {
        ...table,
        trials_total: trial.trials,
        trials: [...table.trials.filter(each => each.trial !== trial.trial), trial]
            .sort((a, b) => a.trial - b.trial),
    };
}

const distinct = (table: Table, name: Strength): number[] =>
    [...new Set(table.trials.map(each => each[name]).filter((value): value is number => value !== undefined))]
        .sort((a, b) => a - b);

// What was searched; the one with the most strengths first.
export function searched(table: Table): Strength[] {
    const all = STRENGTHS.map(name => ({name, count: distinct(table, name).length})).filter(each => each.count > 1)
        .sort((a, b) => b.count - a.count).map(each => each.name);
    return all.length ? all : [STRENGTHS.find(name => table.trials.some(each => each[name])) ?? 'l2'];
}

export function strengthText(of: Choice | Trial, names: readonly Strength[]): string {
    return names.filter(name => of[name] !== undefined).map(name => `${name} = ${strength(of[name])}`).join(', ');
}

// Four digits tell strengths apart; the table's exact value stands in titles.
export function strength(value: number | null | undefined): string {
    if (value === null || value === undefined)
        return '–';
    const round = Number(value.toPrecision(4));
    return round !== 0 && Math.abs(round) < 1e-4 ? round.toExponential() : String(round);
}

export interface Series {
    key: string; // "l1 = 0.01", or "" for a single one
    trials: Trial[]; // by the strength along the axis
}

// One curve for each value of what does not go along the axis.
export function series(table: Table, along: Strength): Series[] {
    const others = searched(table).filter(name => name !== along);
    const found = new Map<string, Trial[]>();
    for (const trial of table.trials) {
        const key = strengthText(trial, others);
        if (!found.has(key))
            found.set(key, []);
        found.get(key)!.push(trial);
    }
    return [...found].map(([key, trials]) =>
        ({key, trials: trials.sort((a, b) => (a[along] ?? 0) - (b[along] ?? 0))}));
}

// Where the choice stands at an end of what was searched, the range was too narrow: "strongest l1".
export function edges(table: Table): string[] {
    const {chosen} = table;
    return chosen === null ? [] : searched(table).flatMap(name => {
        const values = table.trials.map(each => each[name] ?? 0), at = chosen[name] ?? 0;
        const end = at === Math.max(...values) ? 'strongest' : at === Math.min(...values) && at > 0 ? 'weakest' : null;
        return end && new Set(values).size > 2 ? [`${end} ${name}`] : [];
    });
}

export function trialOf(table: Table, choice: Choice | null): Trial | undefined {
    return choice ? table.trials.find(each => each.trial === choice.trial) : undefined;
}

type Json = Record<string, unknown>;

function withDropout(model: Json, rate: number): Json {
    const layers = model.layers as Json[] | undefined;
    if (!layers)
        return {...model, dropout: rate};
    const drops = (layer: Json, k: number) => layer.type === 'dropout' && k > 0;
    if (layers.some(drops))
        return {...model, layers: layers.map((layer, k) => (drops(layer, k) ? {...layer, rate} : layer))};
    return {...model, layers: layers.flatMap(layer =>
        (layer.type === 'activation' ? [layer, {type: 'dropout', rate}] : [layer]))};
}

// The job of one trial: the search's own spec with that strength and without `tune`. A learning rate
// that the search found is written out: alone, the job would look for another.
export function aloneSpec(job: Job, trial: Trial): Json {
    const {tune, ...spec} = structuredClone(job.spec) as Json & {tune: Json};
    const tuned = STRENGTHS.filter(name => tune[name] !== undefined && tune[name] !== null);
    const rate = (job.resolved?.optimizer as Json | undefined)?.lr;
    const optimizer = {...(spec.optimizer as Json | undefined)};
    if (optimizer.lr === 'auto' && typeof rate === 'number')
        optimizer.lr = rate;
    if (tuned.includes('weight_decay'))
        optimizer.weight_decay = trial.weight_decay;
    const regularization = {...(spec.regularization as Json | undefined)};
    for (const name of ['l1', 'l2'] as const)
        if (tuned.includes(name))
            regularization[name] = trial[name];
    return {
        ...spec,
        name: `${job.name ?? 'search'}, trial ${trial.trial}`.slice(0, 200),
        ...(Object.keys(optimizer).length ? {optimizer} : {}),
        ...(Object.keys(regularization).length ? {regularization} : {}),
        ...(tuned.includes('dropout')
            ? {model: withDropout((spec.model as Json | undefined) ?? {}, trial.dropout ?? 0)} : {}),
    };
}
