// Zoom by keys: what is shown after each, never beyond what there is.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const {zoomByKey} = await load('ui/zoom.ts');
const press = (key, shown, log = false, more = {}) => zoomByKey({key, ...more}, shown, [1, 100], log);

test('plus halves what is shown around its middle, minus takes half as much again', () => {
    assert.deepEqual(press('+', [20, 60]), [30, 50]);
    assert.deepEqual(press('-', [30, 50]), [25, 55]);
});

test('nothing leaves the whole', () => {
    assert.deepEqual(press('-', [2, 99]), [1, 100]);
    assert.deepEqual(press('ArrowLeft', [3, 43]), [1, 41]);
    assert.deepEqual(press('ArrowRight', [50, 95]), [55, 100]);
    assert.deepEqual(press('ArrowLeft', [1, 100]), [1, 100]);
    assert.deepEqual(press('Escape', [3, 4]), [1, 100]);
});

test('a logarithmic axis is walked in its own steps', () => {
    const [from, to] = press('+', [1, 10_000], true);
    assert.ok(Math.abs(from - 10) < 1e-9);
    assert.equal(to, 100);
});

test('other keys, and those of the browser, are left alone', () => {
    assert.equal(press('a', [1, 100]), null);
    assert.equal(press('Tab', [1, 100]), null);
    assert.equal(press('+', [1, 100], false, {ctrlKey: true}), null);
});
