// A job from the form to its model: submitted, watched, paused, survived by a killed server; and what an
// ended job's page says, against what the server says.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {describe} from 'node:test';
import {OUTAGE} from './browser.mjs';
import {digitsJob, heartJob, longJob, uploadDigits, uploadHeart} from './material.mjs';
import {until} from './server.mjs';
import {Stage} from './stage.mjs';

const query = page => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const idOf = page => new URL(page.url()).hash.match(/job_[A-Z0-9]+/i)[0];
const loss = page => page.getByRole('region', {name: 'Data loss'});
const status = (page, word) => page.locator('.job-head .badge').filter({hasText: word}).waitFor();

// The epoch that the chart of losses tells with the mouse there.
async function told(page, x, y) {
    await page.mouse.move(x, y);
    await page.waitForTimeout(250); // what is being drawn is drawn by then
    return Number((await loss(page).locator('.legend .soft').textContent()).replace(/\D/g, ''));
}

// The last one that it has.
const lastEpoch = page => told(page, 2, 2);

// Those at its left and right edge.
async function edges(page) {
    const box = await loss(page).locator('.u-over').boundingBox();
    const y = box.y + box.height / 2;
    return [await told(page, box.x + 1, y), await told(page, box.x + box.width - 2, y)];
}

// What a button copies. The page may not read the clipboard, and neither may a test.
async function copied(page, button) {
    await page.evaluate(() => (navigator.clipboard.writeText = async text => void (window.copiedText = text)));
    await button.click();
    return until('something was copied', () => page.evaluate(() => window.copiedText));
}

describe('job', () => {
    const ids = {};
    const stage = new Stage({prepare: async server => {
        await Promise.all([uploadDigits(server), uploadHeart(server)]);
        ids.digits = (await server.run(digitsJob({name: "it's \"$HOME\" `x`", labels: {team: 'a b'}}))).id;
        ids.heart = (await server.run(heartJob({data: {dataset: 'heart', target: 'f7'}, loss: 'mse'}))).id;
        ids.failed = (await server.run(digitsJob({name: 'too fast', optimizer: {lr: 1000}}))).id;
    }});

    stage.check('from the form to the end: points arrive, the zoom is kept, pause, a killed server', '#/new?dataset=digits',
        async ({page, server, state}) => {
            await page.locator('[id="f/name"]').fill('from the form');
            await page.locator('[id="f/train/epochs"]').fill('9000');
            await page.getByRole('button', {name: 'Start the job'}).click();
            await page.getByRole('heading', {level: 1, name: 'from the form'}).waitFor();
            const id = idOf(page);
            assert.equal((await server.job(id)).spec.train.epochs, 9000);

            const first = await until('points arrive', async () => await lastEpoch(page) > 50 && lastEpoch(page));
            const box = await loss(page).locator('.u-over').boundingBox();
            await page.mouse.move(box.x + 0.3 * box.width, box.y + 60);
            await page.mouse.down();
            await page.mouse.move(box.x + 0.7 * box.width, box.y + 60, {steps: 4});
            await page.mouse.up();
            await loss(page).getByRole('button', {name: 'Whole range'}).waitFor();
            // Beside a trainer that has all cores the page may be late: twice the same is the truth.
            let last = '';
            const zoomed = await until('the edges stand still', async () => {
                const now = await edges(page);
                const same = String(now) === last;
                last = String(now);
                return same && now;
            });
            assert.ok(zoomed[0] > 1 && zoomed[1] > zoomed[0], `${zoomed}`);
            const epoch = async () => (await server.job(id)).progress.epoch;
            const before = await epoch();
            await until('more epochs come', async () => await epoch() > before + first);
            await page.waitForTimeout(600); // two drawings: a zoom that is lost is lost by now
            // Points may be thinned out meanwhile, so an edge moves by one of them at most.
            await until(`the zoom is ${zoomed}`, async () => (await edges(page)).every((each, k) => Math.abs(each - zoomed[k]) < 10), 30);

            await page.getByRole('button', {name: /^Pause/}).click();
            await status(page, 'paused');
            const still = await epoch();
            await page.getByRole('button', {name: /^Resume/}).click();
            await status(page, 'running');
            await until('it goes on', async () => await epoch() > still);

            state.allowed = OUTAGE;
            await server.kill();
            await page.locator('.connection.lost').waitFor();
            await server.start();
            await page.locator('.connection.live').waitFor();
            await server.ended(id);
            await status(page, 'succeeded');
            await loss(page).getByRole('button', {name: 'Whole range'}).click();
            await loss(page).scrollIntoViewIfNeeded();
            await until('the curve reaches the end', async () => await lastEpoch(page) === 9000);
            assert.equal((await edges(page))[0], 1);
            await page.getByRole('region', {name: 'Overfitting report'}).locator('.verdict').waitFor();
            const {epoch: epochs} = await server.api('GET', `v1/jobs/${id}/metrics?max_points=100000`);
            assert.deepEqual(epochs, Array.from({length: 9000}, (_, k) => k + 1));
        });

    stage.check('the last label of an axis is not cut off', '#/jobs', async ({page, open, server}) => {
        const job = await server.run(heartJob({name: 'ten thousand', train: {epochs: 10_000, batch_size: 'all'}}));
        await open(`#/jobs/${job.id}`);
        const ink = () => page.locator('.plot canvas').first().evaluate(canvas => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
            copy.drawImage(canvas, 0, 0);
            const {data} = copy.getImageData(canvas.width - 2, canvas.height - 24, 2, 24);
            return data.filter((_, k) => k % 4 === 3 && data[k] > 0).length;
        });
        await until('all epochs are drawn', async () => await lastEpoch(page) === 10_000);
        assert.equal(await ink(), 0);
    });

    stage.check('what is chosen stands in the link', () => `#/jobs/${ids.digits}`, async ({page}) => {
        await page.getByLabel('Log losses').check();
        await page.getByLabel('Running loss').check();
        await loss(page).locator('.legend').getByText('running').waitFor();
        const hash = await until('the link has both', () => [...query(page)].length >= 2 && page.url());
        await page.reload();
        assert.equal(page.url(), hash);
        assert.ok(await page.getByLabel('Log losses').isChecked());
        await page.getByRole('tab', {name: 'Layers'}).click();
        await until('the link has it', () => query(page).get('tab') === 'layers');
        await page.keyboard.press('ArrowRight');
        await page.getByRole('tab', {name: 'Evaluation', selected: true}).waitFor();
    });

    stage.check('report, layers, evaluation: as the server has them', () => `#/jobs/${ids.digits}`, async ({page, server}) => {
        const {latest} = await server.job(ids.digits);
        const {items} = await server.api('GET', `v1/jobs/${ids.digits}/events?format=json&after=${latest.seq}`);
        const {report} = items.find(each => each.type === 'end');
        await page.locator('.verdict').getByText(report.verdict.replaceAll('_', ' ')).waitFor();

        const layers = await server.api('GET', `v1/jobs/${ids.digits}/layers`);
        await page.getByRole('tab', {name: 'Layers'}).click();
        for (const layer of layers.best.layers)
            await page.getByRole('tabpanel').getByText(layer.count.toLocaleString('en')).first().waitFor();

        const evaluation = await server.api('GET', `v1/jobs/${ids.digits}/evaluation`);
        await page.getByRole('tab', {name: 'Evaluation'}).click();
        const cells = page.locator('.confusion td[data-at]');
        await cells.first().waitFor();
        const shown = (await cells.allTextContents()).map(text => Number(text.match(/\d+/)?.[0] ?? 0));
        assert.deepEqual(shown, evaluation.confusion.flat());
    });

    stage.check('a regression has residuals, a failed job its reason', () => `#/jobs/${ids.heart}?tab=evaluation`,
        async ({page, open}) => {
            await page.getByRole('region', {name: /[Rr]esidual/}).first().waitFor();
            await open(`#/jobs/${ids.failed}`);
            await page.getByRole('alert').getByText(/finite/).first().waitFor();
            await open('#/jobs/job_0123456789ABCDEFGHJKMNPQRS');
            await page.getByText('There is no such job').waitFor();
        }, {allowed: /404/});

    stage.check('the model that comes is the server’s', () => `#/jobs/${ids.digits}?tab=model`, async ({page, server}) => {
        const job = await server.job(ids.digits);
        const download = page.waitForEvent('download');
        await page.locator('a.primary[download]').click();
        const bytes = readFileSync(await (await download).path());
        assert.equal(createHash('sha256').update(bytes).digest('hex'), job.model.sha256);
        await page.getByText(job.model.sha256).waitFor();
    });

    stage.check('the copied line submits the same job again', () => `#/jobs/${ids.digits}`, async ({page, server}) => {
        const line = await copied(page, page.locator('.job-head').getByRole('button', {name: 'Copy as curl'}));
        const answer = execFileSync('sh', ['-c', line], {encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'ignore']});
        const again = JSON.parse(answer);
        assert.notEqual(again.id, ids.digits);
        assert.deepEqual(again.spec, (await server.job(ids.digits)).spec);
        await server.ended(again.id);
    });

    stage.check('a drawn digit is predicted, and follows the hand', () => `#/jobs/${ids.digits}?tab=try`, async ({page}) => {
        const board = await page.locator('.board').boundingBox();
        const says = async draw => {
            const answer = page.waitForResponse(each => each.url().endsWith('/predict') || each.url().includes('/predict?'));
            await draw();
            const {predictions} = await (await answer).json();
            return predictions[0];
        };
        const stroke = points => says(async () => {
            const [begin, ...rest] = points.map(([x, y]) => [board.x + x * board.width, board.y + y * board.height]);
            await page.mouse.move(...begin);
            await page.mouse.down();
            for (const each of rest)
                await page.mouse.move(...each, {steps: 8});
            await page.mouse.up();
        });
        const circle = Array.from({length: 25}, (_, k) => [0.5 + 0.2 * Math.sin(k * Math.PI / 12), 0.5 - 0.32 * Math.cos(k * Math.PI / 12)]);
        await stroke(circle);
        await page.locator('.answer .figure').getByText('0', {exact: true}).waitFor();
        await page.getByRole('button', {name: 'Blank'}).click();
        await stroke([[0.5, 0.15], [0.5, 0.85]]);
        await page.locator('.answer .figure').getByText('1', {exact: true}).waitFor();
    });

    stage.check('renamed and labelled, deleted after a question', '#/jobs', async ({page, open, server}) => {
        const {id} = await server.run(digitsJob({name: 'before'}));
        await open(`#/jobs/${id}`);
        await page.getByRole('button', {name: 'Edit'}).click();
        await page.getByRole('dialog').getByLabel('Name', {exact: true}).fill('after');
        await page.getByRole('dialog').getByRole('button', {name: 'Save'}).click();
        await page.getByRole('heading', {level: 1, name: 'after'}).waitFor();
        assert.equal((await server.job(id)).name, 'after');
        await page.getByRole('button', {name: 'Delete'}).click();
        await page.getByRole('dialog').getByRole('button', {name: 'Delete'}).click();
        await page.getByRole('heading', {level: 1, name: 'Jobs'}).waitFor();
        await assert.rejects(server.job(id), /404/);
    });

    stage.check('a job that is stopped keeps its best model', '#/jobs', async ({page, open, server}) => {
        const id = await server.submit(longJob());
        await open(`#/jobs/${id}`);
        await until('it trains', async () => (await server.job(id)).progress.epoch > 0);
        await page.getByRole('button', {name: /^Stop/}).click();
        await status(page, 'succeeded');
        await page.getByRole('tab', {name: 'Model'}).click();
        await page.locator('a.primary[download]').waitFor();
        assert.equal((await server.job(id)).stop_reason, 'stopped');
    });
});
