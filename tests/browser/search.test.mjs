// The pages of searches: what the server's table says is what they show, while it grows, too.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {digitsJob, heartSearch, uploadDigits, uploadHeart} from './material.mjs';
import {until} from './server.mjs';
import {Stage} from './stage.mjs';

const short = value => String(Number(value.toPrecision(4)));
const query = page => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const rows = page => page.getByRole('region', {name: 'Trials'}).locator('tbody tr');

describe('search', () => {
    const ids = {};
    const stage = new Stage({prepare: async server => {
        await Promise.all([uploadDigits(server), uploadHeart(server)]);
        const grid = {l1: [0.05, 0.01, 0], l2: {min: 1e-3, max: 0.2, count: 5}};
        const jobs = {
            path: heartSearch(),
            grid: heartSearch({name: '<img src=x onerror=alert(1)>', tune: grid}),
            failed: digitsJob({name: 'too fast', optimizer: {lr: 30}, tune: {l2: [0, 1e-4, 1e-3], folds: 3}}),
            plain: digitsJob(),
        };
        for (const [name, spec] of Object.entries(jobs))
            ids[name] = (await server.run(spec)).id;
    }});

    stage.check('the list tells what was chosen', '#/tuning', async ({page, server}) => {
        const table = await server.api('GET', `v1/jobs/${ids.path}/tuning`);
        const row = page.getByRole('row').filter({hasText: 'heart: how strong an L1?'});
        await row.getByText(`l1 = ${short(table.chosen.l1)}`).waitFor();
        await page.getByRole('row').filter({hasText: 'too fast'}).getByText('none').waitFor();
        assert.equal(await page.getByRole('row').count(), 1 + 3);
        await row.getByRole('link').click();
        await page.getByRole('heading', {level: 1, name: 'heart: how strong an L1?'}).waitFor();
    });

    stage.check('curve, choices, table: as the server has them', () => `#/tuning/${ids.path}`, async ({page, server}) => {
        const table = await server.api('GET', `v1/jobs/${ids.path}/tuning`);
        const chosen = table.trials.find(each => each.trial === table.chosen.trial);
        const curve = page.getByRole('region', {name: 'Validation loss over the strength'});
        await curve.getByText('1se, chosen').waitFor();
        await curve.getByText('min', {exact: true}).waitFor();
        await curve.getByText(`${short(chosen.mean_data_loss)} ±`).or(curve.getByText(short(chosen.mean_data_loss)))
            .first().waitFor();
        assert.match(await curve.getByRole('img').getAttribute('aria-label'), /The least is .* within one standard error/s);
        assert.equal(await curve.locator('circle.point').count(), table.trials.length);
        assert.equal(await curve.locator('.error-bar').count(), table.trials.length);
        assert.equal(await rows(page).count(), table.trials.length);

        assert.equal(await curve.locator('circle.fold').count(), 0);
        await curve.getByLabel('each fold').check();
        assert.equal(await curve.locator('circle.fold').count(), table.trials.length * table.folds);

        const path = page.getByRole('region', {name: 'Coefficient path'});
        const names = await path.getByRole('listitem').allInnerTexts();
        assert.ok(names.some(each => each.trim().startsWith('f11')), names.join());
        const csv = await page.evaluate(address => fetch(address).then(answer => answer.text()),
            await page.getByRole('link', {name: 'CSV'}).getAttribute('href'));
        assert.equal(csv.trim().split('\n').length, 1 + table.trials.length);
    });

    stage.check('sorted and zoomed, and a reload shows the same', () => `#/tuning/${ids.path}`, async ({page, server}) => {
        const table = await server.api('GET', `v1/jobs/${ids.path}/tuning`);
        await page.getByRole('button', {name: 'Validation'}).click();
        assert.equal(await page.getByRole('columnheader', {name: 'Validation'}).getAttribute('aria-sort'), 'ascending');
        await rows(page).first().getByText('min').waitFor();

        const curve = page.getByRole('region', {name: 'Validation loss over the strength'});
        await curve.locator('svg').first().scrollIntoViewIfNeeded();
        const box = await curve.locator('svg').first().boundingBox();
        await page.mouse.move(box.x + box.width * 0.3, box.y + 200);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width * 0.7, box.y + 220, {steps: 4});
        await page.mouse.up();
        const zoomed = await until('fewer points', async () => {
            const count = await curve.locator('circle.point').count();
            return count < table.trials.length && count;
        });
        await until('the link has it', () => /^[\d.e-]+\.\.[\d.e-]+$/.test(query(page).get('zoom')));
        await page.reload();
        await rows(page).first().getByText('min').waitFor();
        assert.equal(await curve.locator('circle.point').count(), zoomed);
        await page.getByRole('button', {name: 'Whole range'}).click();
        assert.equal(await curve.locator('circle.point').count(), table.trials.length);
    });

    stage.check('one trial alone is a job that the server takes', () => `#/tuning/${ids.path}`, async ({page, server}) => {
        const table = await server.api('GET', `v1/jobs/${ids.path}/tuning`);
        const trial = table.trials[4];
        const link = page.getByRole('link', {name: `Train alone: trial ${trial.trial}`, exact: true});
        const spec = JSON.parse(new URLSearchParams((await link.getAttribute('href')).split('?')[1]).get('spec'));
        assert.equal(spec.tune, undefined);
        assert.equal(spec.regularization.l1, trial.l1);
        assert.equal(spec.regularization.l1_method, 'proximal');
        const told = await server.api('POST', 'v1/jobs/validate', spec);
        assert.equal(told.resolved.regularization.l1, trial.l1);
    });

    stage.check('two strengths: a curve for each, a grid, a name that is no markup', () => `#/tuning/${ids.grid}`,
        async ({page}) => {
            await page.getByRole('heading', {level: 1, name: '<img src=x onerror=alert(1)>'}).waitFor();
            assert.equal(await page.locator('main img').count(), 0);
            const curve = page.getByRole('region', {name: 'Validation loss over the strength'});
            for (const each of ['l1 = 0.05', 'l1 = 0.01', 'l1 = 0'])
                await curve.getByText(each, {exact: true}).waitFor();
            assert.equal(await page.locator('table.heat td').count(), 15);
            await page.getByLabel('along').selectOption('l1');
            await curve.getByText('l2 = 0.2', {exact: true}).waitFor();
            await until('the link has it', () => query(page).get('along') === 'l1');
        });

    stage.check('what failed says why', () => `#/tuning/${ids.failed}`, async ({page}) => {
        await page.getByRole('alert').getByText('no strength can be chosen').waitFor();
        await page.getByRole('heading', {name: 'No strength has succeeded'}).waitFor();
        assert.equal(await rows(page).getByText('failed: epoch 1 diverged').count(), 3);
    });

    stage.check('a job that is no search, and none at all', () => `#/tuning/${ids.plain}`, async ({page, open}) => {
        await page.getByRole('heading', {name: 'This job is no search'}).waitFor();
        await open('#/tuning/job_01AAAAAAAAAAAAAAAAAAAAAAAA');
        await page.getByRole('heading', {name: 'There is no such job'}).waitFor();
    }, {allowed: /404/});

    stage.check('a search grows before one\'s eyes, and the zoom stays', '#/tuning', async ({page, open, server}) => {
        const id = await server.submit(digitsJob({name: 'grows', model: {hidden: [64]}, train: {epochs: 60},
            tune: {l2: {min: 1e-6, max: 0.1, count: 60}, folds: 3}}));
        await open(`#/tuning/${id}?zoom=0.0001..0.2`);
        await until('some trials, not all', async () => {
            const count = await rows(page).count();
            return count >= 2 && count < 60;
        });
        const few = await rows(page).count();
        await page.getByRole('progressbar', {name: /The search/}).waitFor();
        await until('more trials', async () => await rows(page).count() > few + 2);
        await until('the link has it', () => query(page).get('zoom') === '0.0001..0.2');
        await page.getByRole('button', {name: 'Whole range'}).waitFor();
        await server.api('POST', `v1/jobs/${id}/stop`);
        await server.ended(id);
        await page.locator('.badge').getByText('succeeded').waitFor();
        await page.getByText('chosen', {exact: true}).first().waitFor();
    });
});
