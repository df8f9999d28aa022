// The table of a search: what makes a curve, the spec of one trial alone, axes.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const {aloneSpec, edges, searched, series, strength, withTrial} = await load('pages/search/table.ts');
const {linearTicks, logTicks, scale} = await load('ui/scale.ts');
const {operations} = await load('pages/api/operations.ts');

const trial = (number, strengths) => ({trial: number, trials: 4, mean_data_loss: number, ...strengths});
const grid = {trials: [trial(1, {l1: 0.1, l2: 1}), trial(2, {l1: 0.1, l2: 0.5}), trial(3, {l1: 0.1, l2: 0}),
    trial(4, {l1: 0, l2: 1})], trials_total: 4};

test('the axis shows what has most strengths, the rest makes curves', () => {
    assert.deepEqual(searched(grid), ['l2', 'l1']);
    const curves = series(grid, 'l2');
    assert.deepEqual(curves.map(each => each.key), ['l1 = 0.1', 'l1 = 0']);
    assert.deepEqual(curves[0].trials.map(each => each.trial), [3, 2, 1]); // by rising l2
    assert.deepEqual(searched({trials: [trial(1, {l1: 0, l2: 0.5})]}), ['l2']); // one strength alone
    assert.deepEqual(series({trials: [trial(1, {l2: 1})]}, 'l2').map(each => each.key), ['']);
});

test('a choice at the end of either range says so', () => {
    const found = (chosen, trials) => edges({chosen, trials});
    const grids = (l2, dropout) => [0.1, 0.2, 0.3].flatMap(a => [0, 0.2, 0.4].map(b => ({[l2]: a, [dropout]: b})));
    assert.deepEqual(found({l2: 0.2, dropout: 0.2}, grids('l2', 'dropout')), []);
    assert.deepEqual(found({l2: 0.2, dropout: 0.4}, grids('l2', 'dropout')), ['strongest dropout']);
    assert.deepEqual(found({l2: 0.1, l1: 0.4}, grids('l2', 'l1')).sort(), ['strongest l1', 'weakest l2']);
    assert.deepEqual(found({l2: 0.2, dropout: 0}, grids('l2', 'dropout')), []); // nothing is weaker than none
    assert.deepEqual(found({l2: 0.3}, [{l2: 0.3}, {l2: 0.1}]), []); // two are no range
    assert.deepEqual(found(null, grids('l2', 'l1')), []);
});

test('a trial told twice stands once, in its place', () => {
    const told = withTrial(withTrial(grid, trial(2, {l1: 0.1, l2: 0.5, epochs: 7})), trial(5, {l2: 0}));
    assert.deepEqual(told.trials.map(each => each.trial), [1, 2, 3, 4, 5]);
    assert.equal(told.trials[1].epochs, 7);
    assert.equal(grid.trials.length, 4);
});

const job = (spec, resolved = null) => ({name: 'n', spec, resolved});

test('alone: the spec with the strength, without tune, the learning rate written out', () => {
    const spec = {data: {dataset: 'd'}, regularization: {l1_method: 'proximal', l2: 1}, optimizer: {lr: 'auto'},
        tune: {l1: [0.1, 0]}};
    const alone = aloneSpec(job(spec, {optimizer: {lr: 0.25}}), {trial: 3, l1: 0.1, l2: 1});
    assert.deepEqual(alone, {name: 'n, trial 3', data: {dataset: 'd'},
        regularization: {l1_method: 'proximal', l2: 1, l1: 0.1}, optimizer: {lr: 0.25}});
    assert.deepEqual(spec.tune, {l1: [0.1, 0]}); // the job's own is as it was
    assert.deepEqual(aloneSpec(job({tune: {weight_decay: [1e-3]}}), {trial: 1, weight_decay: 1e-3, l1: 0, l2: 0}),
        {name: 'n, trial 1', optimizer: {weight_decay: 1e-3}});
});

test('alone: dropout goes to every dropout layer but that of the inputs, or behind each activation', () => {
    const of = model => aloneSpec(job({model, tune: {dropout: [0.4]}}), {trial: 1, dropout: 0.4}).model;
    const drop = rate => ({type: 'dropout', rate}), linear = {type: 'linear', units: 3}, act = {type: 'activation', name: 'relu'};
    assert.deepEqual(of({hidden: [3]}), {hidden: [3], dropout: 0.4});
    assert.deepEqual(of({layers: [drop(0.1), linear, act, drop(0.2), linear]}).layers,
        [drop(0.1), linear, act, drop(0.4), linear]);
    assert.deepEqual(of({layers: [linear, act, linear]}).layers, [linear, act, drop(0.4), linear]);
});

test('strengths are short', () => {
    assert.deepEqual([0.0125376, 0.000046415888, 1e-6, 0, 1, null].map(strength),
        ['0.01254', '4.642e-5', '1e-6', '0', '1', '–']);
});

test('ticks are round, inside, and few', () => {
    assert.deepEqual(linearTicks(0.31, 0.72, 5), [0.4, 0.5, 0.6, 0.7]);
    assert.deepEqual(linearTicks(-1.3, 2, 4), [-1, 0, 1, 2]);
    assert.deepEqual(logTicks(1e-6, 0.1, 7), [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]);
    assert.deepEqual(logTicks(0.02, 0.3, 6), [0.02, 0.05, 0.1, 0.2]);
    for (const [low, high] of [[1e-9, 1e3], [0.31, 0.36], [1, 1.5], [1e-12, 2e-12]]) {
        const ticks = logTicks(low, high, 6);
        assert.ok(ticks.length >= 2 && ticks.length <= 8, `${low}..${high}: ${ticks}`);
        assert.ok(ticks.every(each => each >= low * 0.99 && each <= high * 1.01), ticks.join());
    }
});

test('a scale leads there and back; 0 has a place of its own on a log axis', () => {
    const log = scale([0, 1e-4, 1e-2], 100, 500, {log: true, zeroPlace: true});
    assert.ok(log.at(0) < log.at(1e-4) - 20 && log.zero === log.at(0));
    assert.equal(log.at(1e-2), 500);
    assert.ok(Math.abs(log.from(log.at(1e-3)) - 1e-3) < 1e-9);
    const up = scale([2, 4], 300, 100, {});
    assert.deepEqual([up.at(2), up.at(3), up.at(4)], [300, 200, 100]);
    const one = scale([5], 0, 100, {log: true});
    assert.ok(one.at(5) > 0 && one.at(5) < 100); // a single value is in the middle somewhere
    assert.ok(Number.isFinite(scale([], 0, 100, {}).at(1)));
});

test('curl lines say the method, the body and the ids', () => {
    const answer = {200: {content: {'application/json': {}}}};
    const found = operations({paths: {'/v1/jobs/{id}': {
        get: {operationId: 'getJob', responses: answer},
        patch: {operationId: 'patchJob', requestBody: {content: {'application/json': {}}}, responses: answer},
        delete: {operationId: 'deleteJob', responses: answer},
    }, '/v1/events': {get: {operationId: 'e', responses: {200: {content: {'text/event-stream': {}}}}}}}});
    assert.deepEqual(found.map(each => each.curl('http://h/p/')), [
        'curl "http://h/p/v1/jobs/$ID"',
        'curl -X PATCH "http://h/p/v1/jobs/$ID" -H \'Content-Type: application/json\' -d @BODY.json',
        'curl -X DELETE "http://h/p/v1/jobs/$ID"',
        'curl -N http://h/p/v1/events',
    ]);
});
