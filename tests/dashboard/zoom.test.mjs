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

const {zoomByFingers} = await load('ui/zoom.ts');
const {pictureOf} = await load('ui/touch.ts');

test('two fingers: what lay under each stays under it', () => {
    // 100..200 of 400 pixels come to lie at 100..300: half of the picture is left, from 50 on.
    assert.deepEqual(zoomByFingers([100, 200], [100, 300], 400, [0, 400]), [50, 250]);
    // Moved without another distance.
    assert.deepEqual(zoomByFingers([100, 200], [150, 250], 400, [-1000, 1000]), [-50, 350]);
});

test('two fingers do not leave the whole', () => {
    assert.deepEqual(zoomByFingers([100, 200], [200, 300], 400, [-20, 900]), [-20, 380]);
    assert.deepEqual(zoomByFingers([300, 350], [100, 150], 400, [-100, 420]), [20, 420]);
    assert.equal(zoomByFingers([100, 300], [150, 250], 400, [-10, 500]), null);
});

test('fingers that lie on each other do not zoom to nothing', () => {
    const [from, to] = zoomByFingers([200, 200], [100, 300], 400, [0, 400]);
    assert.ok(to - from > 400 / 10 && to - from < 400);
});

test('pixels are values of a linear or a logarithmic axis', () => {
    const linear = pictureOf(400, [10, 30], [0, 100]);
    assert.deepEqual([linear.value(0), linear.value(400), linear.value(100)], [10, 30, 15]);
    assert.deepEqual(linear.whole, [-200, 1800]);
    const log = pictureOf(300, [1, 1000], [1, 10_000], true);
    assert.ok(Math.abs(log.value(100) - 10) < 1e-9);
    assert.ok(Math.abs(log.whole[1] - 400) < 1e-9);
});
