// The settings of jobs as flat paths ("optimizer.lr"), and which of them differ.
import type {Job} from '../../api/types';
import {exact} from '../../ui/format';

export interface Setting {
    path: string;
    differs: boolean;
    numeric: boolean; // a number in at least two runs
    of: Map<string, unknown>; // by job; missing where a job has none
}

// In this order people look for what made the difference.
const ORDER = ['regularization', 'optimizer', 'model', 'loss', 'train', 'data', 'tune'];
const LONG = 6; // lists beyond are told as a count

interface Layer {
    type: string;
    units?: number;
    name?: string;
    rate?: number;
}

// "128 relu dropout 0.1 → 10"
function layers(list: Layer[]): string {
    return list.map((layer, k) => (layer.type === 'linear' ? `${k ? '→ ' : ''}${layer.units ?? 'target'}`
        : layer.type === 'dropout' ? `dropout ${layer.rate}` : `${layer.name ?? layer.type}`)).join(' ');
}

function flatten(value: unknown, path: string, into: Map<string, unknown>): void {
    if (path === 'name' || path === 'labels')
        return;
    if (path === 'model.layers' && Array.isArray(value)) {
        into.set(path, layers(value as Layer[]));
    } else if (Array.isArray(value)) {
        const counted = value.length > LONG || value.some(each => typeof each === 'object');
        into.set(path, counted ? `${value.length} ${path.endsWith('features') ? 'columns' : 'values'}`
            : value.map(exact).join(', '));
    } else if (value && typeof value === 'object') {
        const entries = Object.entries(value);
        if (!entries.length && path)
            into.set(path, 'none');
        for (const [key, each] of entries)
            flatten(each, path ? `${path}.${key}` : key, into);
    } else if (path) {
        into.set(path, value);
    }
}

export function flat(job: Job): Map<string, unknown> {
    const all = new Map<string, unknown>();
    flatten(job.resolved ?? job.spec, '', all);
    return all;
}

const rank = (path: string): number => {
    const at = ORDER.indexOf(path.split('.')[0]!);
    return at < 0 ? ORDER.length : at;
};

export function settingsOf(jobs: Job[]): Setting[] {
    const byPath = new Map<string, Map<string, unknown>>();
    for (const job of jobs)
        for (const [path, value] of flat(job))
            (byPath.get(path) ?? byPath.set(path, new Map()).get(path)!).set(job.id, value);
    const settings = [...byPath].map(([path, of]) => {
        const values = new Set([...of.values()].map(value => JSON.stringify(value)));
        const numbers = [...of.values()].filter(value => typeof value === 'number').length;
        return {path, of, differs: values.size > 1 || of.size < jobs.length, numeric: numbers > 1};
    });
    return settings.sort((a, b) => rank(a.path) - rank(b.path));
}

// Why the losses of these runs say nothing of each other; null: they may.
export function incomparable(jobs: Job[], settings: Setting[]): string | null {
    const losses = new Set(settings.find(each => each.path === 'loss')?.of.values());
    if (losses.size > 1)
        return `These runs minimize different losses (${[...losses].map(exact).sort().join(', ')}): which is less says nothing.`;
    const datasets = new Set(jobs.map(job => job.dataset?.id ?? job.id));
    return datasets.size > 1 ? 'These runs are measured on different datasets: which loss is less says little.' : null;
}
