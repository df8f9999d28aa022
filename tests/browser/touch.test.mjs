// A telephone: real touches on charts, and what a mouse does by hovering or with Shift by fingers alone.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {digitsJob, heartSearch, longJob, uploadDigits, uploadHeart} from './material.mjs';
import {until} from './server.mjs';
import {Stage} from './stage.mjs';

const PHONE = {viewport: {width: 360, height: 740}, hasTouch: true, isMobile: true};
const loss = page => page.getByRole('region', {name: 'Data loss'});
const whole = place => place.getByRole('button', {name: 'Whole range'});
const epochIn = async place => Number((await place.locator('.legend .soft').textContent()).replace(/\D/g, ''));

// Fingers at parts of an element's width and height.
class Hand {
    static async on(page, element) {
        // In the middle of the window, so that the page can be pushed either way.
        await element.evaluate(each => each.scrollIntoView({block: 'center', behavior: 'instant'}));
        const hand = new Hand();
        Object.assign(hand, {page, box: await element.boundingBox(), session: await page.context().newCDPSession(page)});
        return hand;
    }

    send(type, points) {
        const {x, y, width, height} = this.box;
        return this.session.send('Input.dispatchTouchEvent', {type,
            touchPoints: points.map(([a, b], id) => ({x: x + a * width, y: y + b * height, id}))});
    }

    async down(...points) {
        for (let k = 1; k <= points.length; k++)
            await this.send('touchStart', points.slice(0, k));
        this.at = points;
    }

    async move(...points) {
        const from = this.at;
        for (let k = 1; k <= 8; k++)
            await this.send('touchMove', points.map(([a, b], n) => [from[n][0] + (a - from[n][0]) * k / 8,
                from[n][1] + (b - from[n][1]) * k / 8]));
        this.at = points;
    }

    async up() {
        await this.send('touchEnd', []);
    }

    async pinch(from, to) {
        await this.down(...from);
        await this.move(...to);
        await this.up();
    }

    async tap(point, times = 1) {
        for (let k = 0; k < times; k++) {
            await this.down(point);
            await this.up();
        }
    }
}

const APART = [[[.4, .5], [.6, .5]], [[.1, .5], [.9, .5]]];

describe('touch', () => {
    const ids = {};
    const stage = new Stage({prepare: async server => {
        await Promise.all([uploadDigits(server), uploadHeart(server)]);
        const specs = {digits: digitsJob(), other: digitsJob({name: 'other', regularization: {l2: 1e-3}}),
            third: digitsJob({name: 'third', regularization: {l2: 1e-2}}), search: heartSearch()};
        for (const [name, spec] of Object.entries(specs))
            ids[name] = (await server.run(spec)).id;
    }});

    stage.check('one finger moves the cursor of all charts and leaves it, or scrolls the page', () => `#/jobs/${ids.digits}`,
        async ({page}) => {
            const hand = await Hand.on(page, loss(page).locator('.u-over'));
            const other = page.getByRole('region', {name: 'Learning rate'});
            await hand.down([.9, .5]);
            await hand.move([.45, .5]);
            await until('both tell the epoch under the finger', async () => await epochIn(loss(page)) === 6
                && await epochIn(other) === 6);
            await hand.up();
            await page.waitForTimeout(300);
            assert.equal(await epochIn(loss(page)), 6);
            assert.equal(await whole(loss(page)).count(), 0);

            const before = await page.evaluate(() => scrollY);
            await hand.down([.5, .9]);
            await hand.move([.5, .1]);
            await hand.up();
            await until('the page is scrolled', async () => await page.evaluate(() => scrollY) > before + 50);
        }, PHONE);

    stage.check('two fingers zoom all charts, push them, and a double tap shows the whole', () => `#/jobs/${ids.digits}`,
        async ({page}) => {
            const hand = await Hand.on(page, loss(page).locator('.u-over'));
            await hand.pinch(...APART);
            await whole(loss(page)).waitFor();
            await whole(page.getByRole('region', {name: 'Learning rate'})).waitFor();
            const edge = async () => {
                await hand.tap([.02, .5]);
                await page.waitForTimeout(500); // the next tap is no second one
                return epochIn(loss(page));
            };
            const first = await edge();
            assert.ok(first >= 5 && first <= 7, `${first}`);
            await hand.pinch([[.2, .5], [.4, .5]], [[.7, .5], [.9, .5]]);
            assert.ok(await edge() < first);
            // Up and down, too: two fingers do not scroll.
            const before = await page.evaluate(() => scrollY);
            await hand.pinch([[.4, .9], [.6, .9]], [[.3, .3], [.7, .3]]);
            assert.equal(await page.evaluate(() => scrollY), before);
            await hand.tap([.5, .5], 2);
            await until('the whole is shown', async () => await page.locator('.zoom-out').count() === 0);
            // No finger leads out of the whole.
            await hand.pinch(APART[1], APART[0]);
            assert.equal(await page.locator('.zoom-out').count(), 0);
        }, PHONE);

    stage.check('the zoom stays while epochs come', '#/jobs', async ({page, open, server}) => {
        const id = await server.submit(longJob());
        const epoch = async () => (await server.job(id)).progress.epoch;
        await open(`#/jobs/${id}`);
        await until('points arrive', async () => await epoch() > 60 && await loss(page).locator('.u-over').count());
        // What stands above grows while the job trains, and a page beside a trainer that has all cores may be
        // late: then fingers meet nothing, and try again.
        const hand = await until('a zoom', async () => {
            const fingers = await Hand.on(page, loss(page).locator('.u-over'));
            await fingers.down(...APART[0]);
            await fingers.move(...APART[1]);
            await page.waitForTimeout(500);
            if (await whole(loss(page)).count())
                return fingers;
            await fingers.up();
            return null;
        });
        const held = await epoch();
        await until('more epochs come under the fingers', async () => await epoch() > held + 30);
        await page.waitForTimeout(600);
        await hand.up();
        await page.waitForTimeout(600); // two drawings
        assert.equal(await whole(loss(page)).count(), 1);
        await hand.tap([.98, .5]);
        const edge = await epochIn(loss(page));
        assert.ok(edge < held, `${edge} < ${held}`);
        await server.api('POST', `v1/jobs/${id}/cancel`);
    }, PHONE);

    stage.check('compare: pinched, told, a point of the scatter is read before it is opened',
        () => `#/compare?jobs=${ids.digits},${ids.other},${ids.third}`, async ({page}) => {
            const scatter = page.getByRole('region', {name: 'Setting against result'});
            await scatter.locator(`circle[data-run="${ids.third}"]`).waitFor();
            await page.waitForFunction(() => document.querySelector('.compare-plot .u-over')
                && !document.querySelector('.compare-plot .nothing'));
            const hand = await Hand.on(page, page.locator('.compare-plot .u-over').first());
            await hand.tap([.5, .5]);
            await page.locator('.compare-plot .readout b').first().waitFor();
            await page.waitForTimeout(400);
            await hand.pinch(...APART);
            await whole(page).waitFor();
            await hand.tap([.5, .5], 2);
            await until('the whole is shown', async () => await whole(page).count() === 0);

            const point = scatter.locator(`circle[data-run="${ids.third}"]`);
            const finger = await Hand.on(page, point);
            await finger.tap([.5, .5]);
            await scatter.locator('.readout a').filter({hasText: 'third'}).waitFor();
            assert.match(page.url(), /#\/compare/);
            await scatter.locator('.readout a').tap();
            await page.getByRole('heading', {level: 1, name: 'third'}).waitFor();
        }, PHONE);

    stage.check('search: pinched, read, and the whole again; the path tells a weight', () => `#/tuning/${ids.search}`,
        async ({page}) => {
            const curve = page.getByRole('region', {name: 'Validation loss over the strength'});
            await curve.locator('circle.point').first().waitFor();
            const all = await curve.locator('circle.point').count();
            const hand = await Hand.on(page, curve.locator('.plot-box svg'));
            await hand.tap([.5, .5]);
            await curve.locator('g.hot').first().waitFor({state: 'attached'});
            await page.waitForTimeout(400);
            await hand.pinch(...APART);
            await until('fewer points', async () => await curve.locator('circle.point').count() < all);
            await hand.tap([.5, .5], 2);
            await until('all points', async () => await curve.locator('circle.point').count() === all);

            const path = page.getByRole('region', {name: 'Coefficient path'});
            await path.getByRole('listitem').first().tap();
            await path.locator('li.hot').waitFor();
        }, PHONE);

    stage.check('jobs: what Shift selects for a mouse', '#/jobs', async ({page}) => {
        const boxes = page.locator('tr.job input[type=checkbox]');
        const count = await boxes.count();
        await boxes.first().tap();
        await boxes.nth(count - 1).tap();
        await page.getByRole('button', {name: `Between ${count - 2}`}).tap();
        await page.getByRole('status').filter({hasText: `${count} selected`}).waitFor();
        assert.equal(await page.getByRole('button', {name: /^Between/}).count(), 0);
    }, PHONE);
});
