// What the fields of a model's rows are: from its dataset and that one's summary, or, for data in the
// spec, from the data.
import {get, Problem} from '../../api/client';
import type {Job} from '../../api/types';

export interface Column {
    name: string;
    kind: 'number' | 'choice' | 'text';
    choices: string[];
    more: boolean; // other texts than the choices are known, too
    min: number | null;
    max: number | null;
    mean: number | null;
    typical: string; // median, most frequent value; "" for none
}

export interface Grid {
    height: number;
    width: number;
    min: number;
    max: number;
    means: number[];
    certain: boolean; // the dataset says that its rows are images
}

export interface Inputs {
    columns: Column[];
    grid: Grid | null;
    known: boolean; // the dataset is there
}

interface DatasetColumn {
    name: string;
    type: string;
    min?: number | null;
    max?: number | null;
    mean?: number | null;
}

interface Dataset {
    columns: DatasetColumn[];
    columns_count: number;
    shape?: number[];
}

interface SummaryColumn {
    name: string;
    quantiles?: Record<string, number> | null;
    top?: {value: unknown; count: number}[];
    other_values?: number;
}

export const FORM_MOST = 120; // fields

const unknown = (name: string): Column =>
    ({name, kind: 'text', choices: [], more: true, min: null, max: null, mean: null, typical: ''});

// A number without the noise of float32: 7.910400152206421 is "7.9104".
const tidy = (value: number): string => String(Number(value.toPrecision(6)));

function inlineColumns(job: Job, names: string[]): Column[] {
    const rows = ((job.spec.data as {inline?: {x?: unknown[][]}} | undefined)?.inline?.x ?? []).slice(0, 10_000);
    return names.map((name, k) => {
        const values = rows.map(row => row?.[k]).filter(value => value !== null && value !== undefined);
        if (!values.length || !values.every(value => typeof value === 'number'))
            return unknown(name);
        const sorted = (values as number[]).sort((a, b) => a - b);
        return {...unknown(name), kind: 'number', min: sorted[0]!, max: sorted[sorted.length - 1]!,
            mean: sorted.reduce((a, b) => a + b, 0) / sorted.length, typical: String(sorted[sorted.length >> 1]!)};
    });
}

function columnOf(of: DatasetColumn, summary: SummaryColumn | undefined): Column {
    const base = unknown(of.name);
    if (of.type === 'number' || of.type === 'byte') {
        const median = summary?.quantiles?.p50;
        return {...base, kind: 'number', min: of.min ?? null, max: of.max ?? null, mean: of.mean ?? null,
            typical: typeof median === 'number' ? tidy(median) : typeof of.mean === 'number' ? tidy(of.mean) : ''};
    }
    const choices = (summary?.top ?? []).map(each => String(each.value));
    if (of.type === 'boolean')
        return {...base, kind: 'choice', choices: choices.length ? choices : ['false', 'true'], more: false, typical: choices[0] ?? ''};
    return {...base, kind: choices.length ? 'choice' : 'text', choices, more: (summary?.other_values ?? 0) > 0, typical: choices[0] ?? ''};
}

// Are these columns the pixels of one image? A dataset of arrays says so; else a square number of
// number columns that share their range is taken for a square.
export function gridOf(columns: Column[], shape: number[] | undefined): Grid | null {
    const count = columns.length;
    if (count < 25 || columns.some(each => each.kind !== 'number' || each.min === null || each.max === null))
        return null;
    const flat = (shape ?? []).filter(size => size > 1);
    const side = Math.round(Math.sqrt(count));
    let size: [number, number] | null = null;
    let certain = false;
    if (flat.length === 2 && flat[0]! * flat[1]! === count) {
        size = [flat[0]!, flat[1]!];
        certain = true;
    } else if (side * side === count) {
        size = [side, side];
    }
    if (!size)
        return null;
    const min = columns.reduce((least, each) => Math.min(least, each.min!), Infinity);
    const max = columns.reduce((most, each) => Math.max(most, each.max!), -Infinity);
    const alike = columns.filter(each => each.min! <= min + .05 * (max - min)).length;
    const full = columns.filter(each => each.max! >= min + .5 * (max - min)).length;
    if (!(max > min) || (!certain && (alike < .9 * count || full < .4 * count)))
        return null;
    return {height: size[0], width: size[1], min, max, means: columns.map(each => each.mean ?? min), certain};
}

export async function readInputs(job: Job, signal: AbortSignal): Promise<Inputs> {
    const names = ((job.resolved?.data as {features?: string[]} | undefined)?.features) ?? [];
    if (!job.dataset) {
        const columns = inlineColumns(job, names);
        return {columns, grid: gridOf(columns, undefined), known: true};
    }
    const path = `v1/datasets/${encodeURIComponent(job.dataset.id)}`;
    let dataset: Dataset;
    try {
        dataset = await get<Dataset>(path, {signal});
    } catch (fault) {
        if (fault instanceof Problem && fault.status === 404)
            return {columns: names.map(unknown), grid: null, known: false};
        throw fault;
    }
    const places = new Map(dataset.columns.map((each, k) => [each.name, k]));
    // The summary takes a while to be made: only what a form shows is asked for.
    const summaries = new Map<string, SummaryColumn>();
    if (names.length <= FORM_MOST) {
        const wanted = names.map(name => places.get(name)).filter(place => place !== undefined);
        const summary = await get<{columns: SummaryColumn[]}>(`${path}/summary`, {query: {columns: wanted.join(',')}, signal})
            .catch((fault: Error) => {
                if (fault.name === 'AbortError')
                    throw fault;
                return {columns: []};
            });
        for (const each of summary.columns)
            summaries.set(each.name, each);
    }
    const columns = names.map(name => {
        const place = places.get(name);
        return place === undefined ? unknown(name) : columnOf(dataset.columns[place]!, summaries.get(name));
    });
    return {columns, grid: gridOf(columns, dataset.shape), known: true};
}
