// Places in ascending numbers, at and beyond the ends.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const {indexAt, nearest} = await load('ui/ascending.ts');

test('the first that is not below', () => {
    assert.deepEqual([0, 1, 1.5, 2, 5, 6].map(x => indexAt([1, 2, 5], x)), [0, 0, 1, 1, 2, 3]);
    assert.equal(indexAt([], 1), 0);
});

test('the nearest, the later one of two as near', () => {
    assert.deepEqual([0, 1.4, 1.5, 3.4, 3.6, 99].map(x => nearest([1, 2, 5], x)), [0, 0, 1, 1, 2, 2]);
    assert.equal(nearest([], 1), -1);
});
