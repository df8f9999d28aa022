// The one reading of /v1/events that tabs share: who is told what, and what happens when the
// connection is lost. A stand-in for EventSource plays the server.
import assert from 'node:assert/strict';
import {beforeEach, test} from 'node:test';
import {load} from './load.mjs';

class Source {
    static CLOSED = 2;
    static made = [];
    constructor(url) {
        this.url = url;
        this.readyState = 0;
        this.heard = new Map();
        Source.made.push(this);
    }
    addEventListener(type, listener) {
        this.heard.set(type, listener);
    }
    close() {
        this.readyState = Source.CLOSED;
    }
    tell(type, id, body = {}) {
        this.heard.get(type)({data: JSON.stringify({type, ...body}), lastEventId: id ? String(id) : ''});
    }
    refuse() {
        this.readyState = Source.CLOSED;
        this.onerror();
    }
}
globalThis.EventSource = Source;
const {EventStream} = await load('live/stream.ts');

// Time passes by tick() alone. (node's own mock of timers has another form in each version.)
let now = 0;
let timers = [];
globalThis.setTimeout = (run, wait = 0) => {
    const timer = {run, at: now + wait};
    timers.push(timer);
    return timer;
};
globalThis.clearTimeout = timer => (timers = timers.filter(each => each !== timer));
function tick(milliseconds) {
    now += milliseconds;
    const due = timers.filter(timer => timer.at <= now).sort((a, b) => a.at - b.at);
    timers = timers.filter(timer => timer.at > now);
    due.forEach(timer => timer.run());
}

let stream;
beforeEach(() => {
    Source.made = [];
    stream = new EventStream('http://here/v1/events');
});

function tab() {
    const port = {
        heard: [],
        states: [],
        resets: 0,
        postMessage(message) {
            if (message.kind === 'events')
                this.heard.push(...message.events.map(told => told.id));
            else if (message.kind === 'state')
                this.states.push(message.live);
            else
                this.resets++;
        },
    };
    return port;
}

test('tabs share one connection, and each is told what came behind its list', () => {
    const first = tab(), second = tab();
    stream.hear(first, {kind: 'from', after: 10});
    assert.equal(Source.made[0].url, 'http://here/v1/events?after=10');
    Source.made[0].onopen();
    Source.made[0].tell('epoch', 11);
    Source.made[0].tell('end', 12);
    tick(50);
    assert.deepEqual(first.heard, [11, 12]);

    stream.hear(second, {kind: 'from', after: 11});
    assert.deepEqual(second.heard, [12]);
    Source.made[0].tell('state', 13);
    tick(50);
    assert.deepEqual(first.heard, [11, 12, 13]);
    assert.deepEqual(second.heard, [12, 13]);
    assert.equal(Source.made.length, 1);
    assert.deepEqual(second.states, [true]);
});

test('a tab whose list is older than what is kept takes the list again', () => {
    const first = tab(), second = tab();
    stream.hear(first, {kind: 'from', after: 10});
    stream.hear(second, {kind: 'from', after: 9});
    assert.equal(second.resets, 1);
    assert.equal(first.resets, 0);
    for (let id = 11; id <= 4100; id++)
        Source.made[0].tell('epoch', id);
    stream.hear(second, {kind: 'from', after: 11});
    assert.equal(second.resets, 2);
    stream.hear(second, {kind: 'from', after: 4000});
    assert.deepEqual(second.heard.slice(-100), Array.from({length: 100}, (_, k) => 4001 + k));
});

test('what has no number is told once and does not move the place', () => {
    const first = tab();
    stream.hear(first, {kind: 'from', after: 5});
    Source.made[0].tell('progress', 0);
    tick(50);
    assert.deepEqual(first.heard, [0]);
    stream.hear(first, {kind: 'check'});
    assert.equal(Source.made[1].url, 'http://here/v1/events?after=5');
});

test('a refused connection is tried again from the last number, ever more calmly', () => {
    const first = tab();
    stream.hear(first, {kind: 'from', after: 5});
    Source.made[0].onopen();
    Source.made[0].tell('epoch', 8);
    Source.made[0].refuse();
    assert.deepEqual(first.states, [false, true, false]);
    tick(499);
    assert.equal(Source.made.length, 1);
    tick(1);
    assert.equal(Source.made[1].url, 'http://here/v1/events?after=8');
    Source.made[1].refuse();
    tick(999);
    assert.equal(Source.made.length, 2);
    tick(1);
    assert.equal(Source.made.length, 3);
    Source.made[2].onopen();
    assert.equal(first.states.at(-1), true);
});

test('a connection that the browser mends by itself is left to it', () => {
    const first = tab();
    stream.hear(first, {kind: 'from', after: 5});
    Source.made[0].onopen();
    Source.made[0].readyState = 0;
    Source.made[0].onerror();
    tick(60_000);
    assert.equal(Source.made.length, 1);
    assert.equal(first.states.at(-1), false);
});

test('after a reset of the server every tab takes the list again', () => {
    const first = tab(), second = tab();
    stream.hear(first, {kind: 'from', after: 5});
    stream.hear(second, {kind: 'from', after: 5});
    Source.made[0].tell('reset', 0, {events_after: 70_000});
    assert.equal(first.resets, 1);
    assert.equal(second.resets, 1);
    stream.hear(first, {kind: 'from', after: 70_000});
    assert.equal(first.resets, 1);
});

test('the connection ends with the last tab', () => {
    const first = tab(), second = tab();
    stream.hear(first, {kind: 'from', after: 5});
    stream.hear(second, {kind: 'from', after: 5});
    stream.hear(first, {kind: 'leave'});
    assert.notEqual(Source.made[0].readyState, Source.CLOSED);
    stream.hear(second, {kind: 'leave'});
    assert.equal(Source.made[0].readyState, Source.CLOSED);
});
