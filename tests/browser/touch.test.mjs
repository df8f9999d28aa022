// By fingers, on a telephone: a chart's figures under one finger, zoom by two, the whole by two taps; the page
// still scrolls.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {digitsJob, longJob, uploadDigits} from './material.mjs';
import {until} from './server.mjs';
import {Stage} from './stage.mjs';

const TELEPHONE = {viewport: {width: 360, height: 740}, hasTouch: true, isMobile: true, deviceScaleFactor: 2};

// Fingers as the browser's own events have them; places in CSS pixels.
async function hand(page) {
    const session = await page.context().newCDPSession(page);
    const send = (type, points) => session.send('Input.dispatchTouchEvent', {type,
        touchPoints: points.map(([x, y], id) => ({x, y, id}))});
    return {
        async move(from, to, steps = 8) {
            await send('touchStart', from);
            for (let k = 1; k <= steps; k++)
                await send('touchMove', from.map(([x, y], n) => [x + (to[n][0] - x) * k / steps, y + (to[n][1] - y) * k / steps]));
            await send('touchEnd', []);
        },
        async tap(at) {
            await send('touchStart', [at]);
            await send('touchEnd', []);
        },
    };
}

const loss = page => page.getByRole('region', {name: 'Data loss'});
const gap = page => page.getByRole('region', {name: 'Gap'});
const whole = where => where.getByRole('button', {name: 'Whole range'});
const epochIn = async (where) => Number((await where.locator('.legend .soft').textContent()).replace(/\D/g, ''));

// The chart, in the middle of the screen.
async function boxOf(where) {
    await where.locator('.u-over').evaluate(each => each.scrollIntoView({block: 'center'}));
    return where.locator('.u-over').boundingBox();
}

describe('touch', () => {
    const ids = {};
    const stage = new Stage({prepare: async server => {
        await uploadDigits(server);
        const job = {train: {epochs: 60}, model: {hidden: [16]}};
        ids.one = (await server.run(digitsJob({name: 'one', ...job}))).id;
        ids.two = (await server.run(digitsJob({name: 'two', ...job, regularization: {l2: 0.01}}))).id;
    }});

    stage.check('a job’s charts', () => `#/jobs/${ids.one}`, async ({page}) => {
        const finger = await hand(page);
        const box = await boxOf(loss(page));
        const y = box.y + box.height / 2, at = part => box.x + part * box.width;
        await page.getByText('Pinch a chart to zoom').waitFor();

        // One finger tells the figures under it, and does not zoom.
        await finger.move([[at(0.9), y]], [[at(0.5), y]]);
        await until('the epoch in the middle', async () => Math.abs(await epochIn(loss(page)) - 30) <= 3);
        assert.equal(await whole(loss(page)).count(), 0);

        // Two fingers of a fifth each around the middle, drawn apart to twice the distance: half is left.
        await finger.move([[at(0.4), y], [at(0.6), y]], [[at(0.3), y], [at(0.7), y]]);
        await whole(loss(page)).waitFor();
        await finger.move([[at(0.5), y]], [[at(0.01), y]]);
        await until('its left edge is at a quarter', async () => Math.abs(await epochIn(loss(page)) - 16) <= 3);
        // The others of the page have the same part.
        await whole(gap(page)).waitFor();
        const other = await boxOf(gap(page));
        await finger.move([[other.x + 40, other.y + 30]], [[other.x + 0.99 * other.width, other.y + 30]]);
        await until('the right edge of another is at three quarters', async () => Math.abs(await epochIn(gap(page)) - 45) <= 3);

        // Two taps, and all of it is there.
        const again = await boxOf(loss(page));
        await finger.tap([again.x + 50, again.y + 50]);
        await finger.tap([again.x + 50, again.y + 50]);
        await until('the whole', async () => await whole(page).count() === 0);
    }, TELEPHONE);

    stage.check('a swipe up over a chart scrolls the page', () => `#/jobs/${ids.one}`, async ({page}) => {
        const finger = await hand(page);
        const box = await boxOf(loss(page));
        const before = await page.evaluate(() => scrollY);
        await finger.move([[box.x + 100, box.y + 120]], [[box.x + 100, box.y - 80]]);
        await until('the page has moved', async () => await page.evaluate(() => scrollY) > before + 60);
        assert.equal(await whole(page).count(), 0);
    }, TELEPHONE);

    stage.check('runs that are compared', () => `#/compare?jobs=${ids.one},${ids.two}`, async ({page}) => {
        const finger = await hand(page);
        const plot = page.locator('.compare-plot').first();
        await page.waitForFunction(() => performance.getEntriesByType('resource').filter(each =>
            each.name.includes('/metrics?') && each.responseEnd).length >= 2);
        const box = await boxOf(plot);
        const y = box.y + box.height / 2, at = part => box.x + part * box.width;
        // A run's nearest epoch to the place; where no curve is near, the figures are none.
        const epochAt = part => until(`a run at ${part}`, async () => {
            for (let k = 1; k < 20; k++) {
                const to = [at(part), box.y + k * box.height / 20];
                await finger.move([[to[0] - 20 * Math.sign(part - 0.5), to[1]]], [to], 3);
                const found = (await plot.locator('.readout').textContent()).match(/epoch ([\d,]+)/);
                if (found)
                    return Number(found[1]);
            }
            return null;
        });
        await until('all epochs', async () => await epochAt(0.98) >= 58);
        await finger.move([[at(0.4), y], [at(0.6), y]], [[at(0.3), y], [at(0.7), y]]);
        await whole(page).waitFor();
        const [left, right] = [await epochAt(0.02), await epochAt(0.98)];
        assert.ok(Math.abs(left - 15) <= 4 && Math.abs(right - 45) <= 4, `${left} to ${right}`);
        await finger.tap([at(0.5), y]);
        await finger.tap([at(0.5), y]);
        await until('the whole', async () => await whole(page).count() === 0);
    }, TELEPHONE);

    stage.check('the zoom stays while epochs come', '#/jobs', async ({page, server, open}) => {
        const id = await server.submit(longJob());
        await open(`#/jobs/${id}`);
        await until('epochs', async () => ((await server.job(id)).progress.epoch ?? 0) > 200);
        const finger = await hand(page);
        let at, y;
        // What stands above grows while the job trains: fingers may meet a chart that has just moved on.
        await until('a zoom', async () => {
            const box = await boxOf(loss(page));
            y = box.y + box.height / 2;
            at = part => box.x + part * box.width;
            await finger.move([[at(0.4), y], [at(0.6), y]], [[at(0.1), y], [at(0.9), y]]);
            await page.waitForTimeout(500);
            return await whole(loss(page)).count() > 0;
        });
        const edge = async () => {
            await finger.move([[at(0.5), y]], [[at(0.98), y]]);
            return epochIn(loss(page));
        };
        const right = await until('an edge', edge);
        const then = (await server.job(id)).progress.epoch;
        await until('many more epochs', async () => (await server.job(id)).progress.epoch > 1.5 * then, 20);
        const now = await edge();
        assert.ok(Math.abs(now - right) <= 0.1 * right, `${right} became ${now}`);
        await server.api('POST', `v1/jobs/${id}/cancel`);
    }, TELEPHONE);
});
