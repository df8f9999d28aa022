// Runs side by side: whether their losses may be compared at all.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const {incomparable, settingsOf} = await load('pages/compare/settings.ts');
const job = (id, dataset, loss) => ({id, dataset: {id: dataset}, spec: {}, resolved: {loss}});
const said = (...jobs) => incomparable(jobs, settingsOf(jobs));

test('the same loss on the same dataset is comparable', () => {
    assert.equal(said(job('a', 'ds_1', 'mse'), job('b', 'ds_1', 'mse')), null);
    const queued = {id: 'c', dataset: {id: 'ds_1'}, spec: {data: {dataset: 'x'}}, resolved: null};
    assert.equal(said(job('a', 'ds_1', 'mse'), queued), null);
});

test('different losses and different datasets are told', () => {
    assert.match(said(job('a', 'ds_1', 'mse'), job('b', 'ds_1', 'huber')), /different losses \(huber, mse\)/);
    assert.match(said(job('a', 'ds_1', 'mse'), job('b', 'ds_2', 'mse')), /different datasets/);
});
