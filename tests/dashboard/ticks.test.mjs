// Labels of an axis: no two ticks read the same.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const {tickLabels} = await load('ui/ticks.ts');
const four = value => String(Number(value.toPrecision(4)));

test('labels are as the chart shows its values', () => {
    assert.deepEqual(tickLabels([0, 0.25, null, 0.5], four), ['0', '0.25', '', '0.5']);
});

test('a narrow range gets as many digits as tell its ticks apart, and no more', () => {
    assert.deepEqual(tickLabels([0.64998, 0.64999, 0.65], four), ['0.64998', '0.64999', '0.65']);
    assert.deepEqual(tickLabels([12.34561, 12.34562], four), ['12.34561', '12.34562']);
});

test('ticks that are the same stay the same', () => {
    assert.deepEqual(tickLabels([1, 1], four), ['1', '1']);
});
