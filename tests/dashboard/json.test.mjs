// The draft of a job as JSON: keys that JavaScript knows better, numbers that it does not know.
import assert from 'node:assert/strict';
import test from 'node:test';
import {load} from './load.mjs';

const {at, parse, put, write} = await load('pages/new/json.ts');

test('a key may be called like a part of every object', () => {
    const {value} = parse('{"labels": {"__proto__": "a", "constructor": "b"}}');
    assert.equal(write(value, ' '), '{"labels": {"__proto__": "a", "constructor": "b"}}');
    const more = put(put(value, ['labels', '__proto__'], 'c'), ['labels', 'toString'], 'd');
    assert.equal(JSON.stringify(more), '{"labels":{"__proto__":"c","constructor":"b","toString":"d"}}');
    assert.equal(JSON.stringify(put(more, ['labels', '__proto__'], undefined)),
        '{"labels":{"constructor":"b","toString":"d"}}');
    assert.equal(at(parse('{}').value, ['constructor']), undefined);
});

test('a number beyond all bounds is a fault at its place, not null', () => {
    const {value, fault} = parse('{"optimizer":\n  {"lr": 1e400}}');
    assert.equal(value, undefined);
    assert.deepEqual([fault.line, fault.column, fault.message], [2, 10, 'this number is too large']);
    assert.equal(parse('[-1e308]').fault, null);
});
