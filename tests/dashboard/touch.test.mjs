// Zoom by two fingers, and what is a double tap.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const {pinched, isDoubleTap} = await load('ui/touch.ts');
const near = (got, wanted) => got.forEach((value, k) =>
    assert.ok(Math.abs(value - wanted[k]) < 1e-9 * Math.abs(wanted[k]), `${got}, not ${wanted}`));

test('what is between the fingers stays between them', () => {
    const shown = [20, 60], from = [.4, .6], to = [.2, .7];
    const [a, b] = pinched(shown, from, to, [1, 100]);
    near([a + .2 * (b - a), a + .7 * (b - a)], [36, 44]);
});

test('which finger came first does not matter', () => {
    near(pinched([20, 60], [.6, .4], [.7, .2], [1, 100]), pinched([20, 60], [.4, .6], [.2, .7], [1, 100]));
});

test('two fingers side by side push the range, no farther than to its ends', () => {
    near(pinched([20, 60], [.4, .6], [.3, .5], [1, 100]), [24, 64]);
    near(pinched([20, 60], [.1, .2], [.8, .9], [1, 100]), [1, 41]);
    near(pinched([20, 60], [.8, .9], [-.8, -.7], [1, 100]), [60, 100]);
});

test('fingers that come together show the whole, exactly', () => {
    assert.deepEqual(pinched([20, 60], [.1, .9], [.4, .5], [1, 100]), [1, 100]);
    assert.deepEqual(pinched([.3, .5], [.1, .9], [.4, .5], [.1, .7], true), [.1, .7]);
});

test('a logarithmic axis is zoomed in its own steps', () => {
    near(pinched([1, 10_000], [.25, .75], [0, 1], [1, 10_000], true), [10, 1000]);
});

test('fingers one above the other make no range without width', () => {
    const [a, b] = pinched([1, 100], [.5, .5], [.5, .5], [1, 100]);
    assert.deepEqual([a, b], [1, 100]);
    const [c, d] = pinched([1, 100], [.5, .5], [0, 1], [1, 100]);
    assert.ok(c > 1 && d < 100 && d > c);
});

test('two taps are one double tap when they are near in time and place', () => {
    assert.equal(isDoubleTap(null, {at: 0, x: 0, y: 0}), false);
    assert.equal(isDoubleTap({at: 0, x: 0, y: 0}, {at: 200, x: 9, y: 9}), true);
    assert.equal(isDoubleTap({at: 0, x: 0, y: 0}, {at: 900, x: 0, y: 0}), false);
    assert.equal(isDoubleTap({at: 0, x: 0, y: 0}, {at: 200, x: 90, y: 0}), false);
});
