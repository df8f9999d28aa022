// Figures as people read them.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const {number} = await load('ui/format.ts');

test('thousands stand apart, whether the figure is whole or not', () => {
    assert.equal(number(500001), '500,001');
    assert.equal(number(-358520.4, 6), '-358,520');
    assert.equal(number(60611.27, 5), '60,611');
    assert.equal(number(1234.5, 6), '1,234.5');
});

test('small ones keep their digits', () => {
    assert.equal(number(0.000123456), '0.0001235');
    assert.equal(number(0.5), '0.5');
    assert.equal(number(1e-7), '1e-7');
});
