// The dashboard before a server with much on it: how soon it stands, how soon it answers, what it keeps.
//
// node bench_dashboard.mjs [--jobs 1000] [--curves 100] [--epochs 3000] [--running 20]
//
// A server of its own trains real jobs: so many with a long curve, the rest with one epoch, and at the
// end some that run while the page is looked at. Chromium tells each figure: the first paint, the time
// from an input to the next frame that shows its effect (event timing), tasks above 50 ms, live bytes of
// the heap. Bounded: about three minutes on two cores.
import {parseArgs} from 'node:util';
import {launch} from '../browser/browser.mjs';
import {heartJob, longJob, uploadDigits, uploadHeart} from '../browser/material.mjs';
import {Server, until} from '../browser/server.mjs';

const {values} = parseArgs({options: {
    jobs: {type: 'string', default: '1000'},
    curves: {type: 'string', default: '100'},
    epochs: {type: 'string', default: '3000'},
    running: {type: 'string', default: '20'},
}});
const [JOBS, CURVES, EPOCHS, RUNNING] = ['jobs', 'curves', 'epochs', 'running'].map(name => Number(values[name]));
if (![JOBS, CURVES, EPOCHS, RUNNING].every(value => Number.isInteger(value) && value >= 1) || CURVES > 100
    || CURVES > JOBS) {
    console.error('whole numbers; at most 100 curves, and not more of them than jobs');
    process.exit(2);
}
const LOADS = 5;

const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
const ms = value => `${Math.round(value)} ms`;
const say = (what, ...figures) => console.log(`${what.padEnd(52)} ${figures.join('   ')}`);

async function prepare(server) {
    await Promise.all([uploadHeart(server), uploadDigits(server)]);
    const spec = k => heartJob({
        name: `heart ${k}`,
        labels: {kind: k < CURVES ? 'curve' : 'short', fifth: String(k % 5)},
        regularization: {l2: 10 ** (-5 + 4 * (k % CURVES) / CURVES)},
        train: {epochs: k < CURVES ? EPOCHS : 1, batch_size: 'all'},
    });
    const curves = [];
    const lanes = Array.from({length: 8}, async (_, lane) => {
        for (let k = lane; k < JOBS; k += 8) {
            const id = await server.submit(spec(k));
            if (k < CURVES)
                curves.push(id);
        }
    });
    await Promise.all(lanes);
    await until('all jobs have ended', async () => {
        const {jobs} = await server.api('GET', 'v1/system');
        return !jobs.queued && !jobs.running;
    }, 600);
    return curves;
}

// From here on the page writes down its slow tasks and its inputs.
const WATCH = () => {
    window.seen = {tasks: [], inputs: []};
    new PerformanceObserver(list => window.seen.tasks.push(...list.getEntries().map(each => each.duration)))
        .observe({type: 'longtask', buffered: true});
    new PerformanceObserver(list => window.seen.inputs.push(...list.getEntries().filter(each => each.interactionId)
        .map(each => each.duration))).observe({type: 'event', durationThreshold: 16, buffered: true});
};

const forget = page => page.evaluate(() => (window.seen.tasks.length = window.seen.inputs.length = 0));
const seen = page => page.evaluate(() => new Promise(done =>
    requestAnimationFrame(() => setTimeout(() => done(window.seen), 100))));

function tell(what, {tasks, inputs}, count) {
    // Below 16 ms the browser writes nothing down.
    const all = [...inputs, ...Array(Math.max(0, count - inputs.length)).fill(16)];
    say(what, ...(count ? [`${count} inputs: median ${ms(median(all))}`, `slowest ${ms(Math.max(...all))}`] : []),
        `tasks > 50 ms: ${tasks.length}${tasks.length ? `, longest ${ms(Math.max(...tasks))}` : ''}`);
}

async function heap(page) {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    const {usedSize} = await session.send('Runtime.getHeapUsage');
    await session.detach();
    return `${(usedSize / 2 ** 20).toFixed(1)} MiB`;
}

async function loads(browser, url) {
    const first = [], rows = [], all = [];
    for (let k = 0; k < LOADS; k++) {
        const context = await browser.newContext({viewport: {width: 1440, height: 900}});
        const page = await context.newPage();
        await page.addInitScript(() => {
            window.marks = {};
            new MutationObserver(() => {
                if (document.querySelector('tr.job'))
                    window.marks.rows ??= performance.now();
                const state = document.querySelector('.above')?.textContent ?? '';
                if (/jobs$/.test(state))
                    window.marks.all ??= performance.now();
            }).observe(document, {subtree: true, childList: true, characterData: true});
        });
        await page.goto(url);
        await page.waitForFunction(() => window.marks.all);
        const told = await page.evaluate(() => ({...window.marks,
            paint: performance.getEntriesByName('first-contentful-paint')[0].startTime}));
        first.push(told.paint);
        rows.push(told.rows);
        all.push(told.all);
        await context.close();
    }
    say('first contentful paint', `median ${ms(median(first))}`, `slowest ${ms(Math.max(...first))}`);
    say('the first rows stand', `median ${ms(median(rows))}`, `slowest ${ms(Math.max(...rows))}`);
    say(`all ${JOBS} jobs are there`, `median ${ms(median(all))}`, `slowest ${ms(Math.max(...all))}`);
}

async function watched(browser, url, ready) {
    const context = await browser.newContext({viewport: {width: 1440, height: 900}});
    const page = await context.newPage();
    await page.addInitScript(WATCH);
    await page.goto(url);
    await ready(page);
    return page;
}

async function press(page, keys) {
    for (const key of keys) {
        await page.keyboard.press(key);
        await page.waitForTimeout(40);
    }
}

async function scroll(page) {
    await page.mouse.move(700, 500);
    for (let k = 0; k < 60; k++) {
        await page.mouse.wheel(0, k < 50 ? 700 : -3000);
        await page.waitForTimeout(16);
    }
}

async function table(page) {
    await forget(page);
    await page.locator('tr.job').first().focus();
    await press(page, Array(40).fill('ArrowDown'));
    tell('table: arrow keys', await seen(page), 40);
    await forget(page);
    await page.locator('input.search').focus();
    await press(page, [...'heart 99', ...Array(8).fill('Backspace')]);
    tell('table: typing a search', await seen(page), 16);
    await forget(page);
    for (let k = 0; k < 8; k++) {
        await page.locator(`th.${['c-loss', 'c-name', 'c-time', 'c-created'][k % 4]} button`).click();
        await page.waitForTimeout(60);
    }
    tell('table: sorting by a click', await seen(page), 8);
    await forget(page);
    await scroll(page);
    tell('table: scrolling all rows', await seen(page), 0);
}

async function charts(page) {
    await forget(page);
    await page.locator('.smooth input').focus();
    await press(page, Array(20).fill('ArrowRight'));
    tell('charts: smoothing, a step a key', await seen(page), 20);
    await forget(page);
    const box = await page.locator('.compare-plot .u-over').first().boundingBox();
    for (let k = 0; k < 60; k++)
        await page.mouse.move(box.x + 20 + k * (box.width - 40) / 60, box.y + 40 + (k % 7) * 30);
    tell('charts: pointing at runs', await seen(page), 0);
    await forget(page);
    for (let k = 0; k < 5; k++) {
        await page.mouse.move(box.x + 60, box.y + 80);
        await page.mouse.down();
        await page.mouse.move(box.x + 260 - 30 * k, box.y + 120, {steps: 5});
        await page.mouse.up();
        await page.waitForTimeout(400);
    }
    tell('charts: zooming in five times', await seen(page), 5);
}

const server = await new Server({args: [`--cores=${RUNNING}`]}).start();
let chromium = null;
try {
    const began = Date.now();
    const curves = await prepare(server);
    say(`${JOBS} jobs, ${CURVES} of them of ${EPOCHS} epochs, trained in`,
        `${Math.round((Date.now() - began) / 1000)} s`);
    chromium = await launch();
    const {browser} = chromium;
    const rowsStand = page => page.waitForFunction(() =>
        /jobs$/.test(document.querySelector('.above')?.textContent ?? ''));
    const curvesStand = page => page.waitForFunction(count => performance.getEntriesByType('resource').filter(each =>
        each.name.includes('/metrics?') && each.responseEnd).length >= count
        && document.querySelector('.run-tools [role="status"]')?.textContent === '', CURVES, {timeout: 120_000});
    await loads(browser, `${server.url}#/jobs`);
    const jobs = await watched(browser, `${server.url}#/jobs`, rowsStand);
    await table(jobs);
    say('table: live bytes', await heap(jobs));

    const clock = performance.now();
    const compared = await watched(browser, `${server.url}#/compare?jobs=${curves.join(',')}`, curvesStand);
    say(`charts: all ${CURVES} runs are drawn after`, ms(performance.now() - clock));
    await charts(compared);
    say('charts: live bytes', await heap(compared));

    const live = [];
    for (let k = 0; k < RUNNING; k++)
        live.push(await server.submit(longJob({name: `live ${k}`,
            train: {epochs: 1_000_000, batch_size: 32, threads: 1}})));
    await until('they run', async () => (await server.api('GET', 'v1/system')).jobs.running === RUNNING, 120);
    await compared.close();
    await jobs.bringToFront();
    await forget(jobs);
    await jobs.waitForTimeout(10_000);
    tell(`table: ${RUNNING} jobs run, looked at for 10 s`, await seen(jobs), 0);
    await forget(jobs);
    await jobs.locator('tr.job').first().focus();
    await press(jobs, Array(40).fill('ArrowDown'));
    await scroll(jobs);
    tell(`table: ${RUNNING} jobs run, keys and scrolling`, await seen(jobs), 40);
    const shown = [...live, ...curves].slice(0, 100).join(',');
    const both = await watched(browser, `${server.url}#/compare?jobs=${shown}`, curvesStand);
    await forget(both);
    await both.waitForTimeout(10_000);
    tell(`charts: ${RUNNING} of the runs are live, looked at for 10 s`, await seen(both), 0);
    say('charts: live bytes', await heap(both));
    await Promise.all(live.map(id => server.api('POST', `v1/jobs/${id}/cancel`)));
} finally {
    await chromium?.close();
    await server.close();
}
