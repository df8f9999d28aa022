// Places to start from. They keep the data and the name that the draft has.
import {begin, spec, written} from './draft';
import type {JsonObject} from './json';

export interface Start {
    title: string;
    help: string;
    spec: JsonObject;
}

export const STARTS: Start[] = [
    {
        title: 'Linear, few features',
        help: 'A linear model whose L1 penalty switches off the columns that do not matter',
        spec: {
            model: {hidden: []},
            regularization: {l1: 1e-3, l1_method: 'proximal', biases: false},
            optimizer: {momentum: .9},
            train: {epochs: 50},
        },
    },
    {
        title: 'Network, L2 and dropout',
        help: 'Two hidden layers that are kept from learning the rows by heart',
        spec: {
            model: {hidden: [128, 64], dropout: .2},
            regularization: {l2: 1e-4},
            optimizer: {momentum: .9},
            train: {epochs: 60, batch_size: 64, early_stopping: {patience: 8}},
        },
    },
    {
        title: 'Find the strength',
        help: 'Sixteen strengths of L2, each by 5-fold cross-validation; the chosen one trains once more on all rows',
        spec: {
            model: {hidden: [64]},
            train: {epochs: 40},
            tune: {l2: {min: 1e-6, max: .1, count: 16}, folds: 5},
        },
    },
];

export function startFrom(start: Start): void {
    const {name, labels, data} = spec.peek();
    const kept = Object.fromEntries(Object.entries({name, labels, data}).filter(([, value]) => value !== undefined));
    begin(written({...kept, ...start.spec} as JsonObject));
}
