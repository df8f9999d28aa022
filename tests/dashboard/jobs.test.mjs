// The list of jobs when the server could not tell all that came meanwhile: it is read again, and what is
// no longer in it goes.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load} from './load.mjs';

const heard = new Map();
globalThis.document = {addEventListener() {}, hidden: false, baseURI: 'http://127.0.0.1/'};
globalThis.location = {hash: ''};
globalThis.addEventListener = () => {};
globalThis.EventSource = class {
    addEventListener(type, listener) {
        heard.set(type, listener);
    }
    close() {}
};
let there = [];
globalThis.fetch = async () => new Response(JSON.stringify({next: null, events_after: 7,
    items: there.map(id => ({id, status: 'succeeded', name: id}))}));

const store = await load('store/jobs.ts');
const comes = async wanted => {
    const end = Date.now() + 10_000;
    while (Date.now() < end && store.ids.value.join() !== wanted.join())
        await new Promise(done => setTimeout(done, 20));
    assert.deepEqual(store.ids.value, wanted);
};

test('after a reset the newest job goes as well, if it was deleted', async () => {
    there = ['job_1', 'job_2', 'job_3'];
    await store.load();
    await comes(['job_3', 'job_2', 'job_1']);
    there = ['job_1', 'job_2'];
    heard.get('reset')({data: '{"events_after": 7}'});
    await comes(['job_2', 'job_1']);
    there = [];
    heard.get('reset')({data: '{"events_after": 7}'});
    await comes([]);
});
