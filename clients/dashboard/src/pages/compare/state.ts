// What is compared and how: all of it stands in the address.
import {amend, place} from '../../router';

export const RUNS_MAX = 100;
export const CHARTS_MAX = 6;

export type XName = 'epoch' | 'step' | 'elapsed_s';
export const X_TITLES: Record<XName, string> = {epoch: 'Epoch', step: 'Step', elapsed_s: 'Elapsed seconds'};

export const METRICS = ['validation.data_loss', 'train.data_loss', 'gap.loss', 'train.running_loss', 'objective',
    'validation.accuracy', 'train.accuracy', 'gap.accuracy', 'validation.rmse', 'train.rmse', 'validation.mae',
        'train.mae',
    'validation.r2', 'train.r2', 'penalty.l1', 'penalty.l2', 'weights.l1_norm', 'weights.l2_norm', 'weights.zeros',
    'weights.near_zeros', 'lr', 'samples_per_s'];

export interface State {
    ids: string[];
    charts: string[]; // a metric each
    x: XName;
    logX: boolean;
    logY: boolean;
    smooth: number; // 0: not
    hidden: Set<string>;
    sort: string; // a column of the table
    equal: boolean; // settings without a difference, too
    against: [string, string]; // the scatter's setting and result; "": what fits
}

const list = (text: string | null): string[] => [...new Set((text ?? '').split(',').filter(Boolean))];

export function readState(query: URLSearchParams): State {
    const charts = list(query.get('charts')).filter(name => METRICS.includes(name)).slice(0, CHARTS_MAX);
    const x = query.get('x') ?? '';
    return {
        ids: list(query.get('jobs')).slice(0, RUNS_MAX),
        charts: charts.length ? charts : ['validation.data_loss', 'gap.loss'],
        x: Object.hasOwn(X_TITLES, x) ? (x as XName) : 'epoch',
        logX: query.has('logx'),
        logY: query.has('logy'),
        smooth: Math.min(.99, Math.max(0, Number(query.get('smooth')) || 0)),
        hidden: new Set(list(query.get('hide'))),
        sort: query.get('sort') ?? '',
        equal: query.has('equal'),
        against: [query.get('setting') ?? '', query.get('result') ?? ''],
    };
}

export function setRuns(ids: string[]): void {
    const known = new Set(ids);
    const hidden = [...readState(place.peek().query).hidden].filter(id => known.has(id));
    amend({jobs: [...new Set(ids)].slice(0, RUNS_MAX).join(','), hide: hidden.join(',')});
}

export function setHidden(hidden: Iterable<string>): void {
    amend({hide: [...hidden].join(',')});
}

// Eight colours, four kinds of line.
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
export const dashOf = (k: number): number[] => DASHES[Math.floor(k / 8) % 4]!;
