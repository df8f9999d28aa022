// A search from the form to the job that comes of it: begun by a tick, watched as it grows, one of its
// strengths trained alone.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {uploadDigits} from './material.mjs';
import {until} from './server.mjs';
import {Stage} from './stage.mjs';

const idOf = page => new URL(page.url()).hash.match(/job_\w+/)?.[0];

describe('tune', () => {
    const stage = new Stage({prepare: uploadDigits});

    stage.check('from the form to the curve, and to one strength alone', '#/new', async ({page, open, server}) => {
        const spec = {name: 'how strong?', data: {dataset: 'digits'}, model: {hidden: [64]},
            optimizer: {lr: 0.1}, train: {epochs: 40, batch_size: 64}};
        await open(`#/new?spec=${encodeURIComponent(JSON.stringify(spec))}`);
        await page.getByText('✓ ready to start').waitFor();
        await page.getByRole('checkbox', {name: /^Find the strength/}).check();
        const tuning = page.locator('.section-tune');
        await tuning.getByText(/^16 strengths: /).waitFor();
        assert.deepEqual(JSON.parse(await page.locator('#spec-json').inputValue()),
            {...spec, tune: {l2: {min: 1e-6, max: 0.1, count: 16}}});
        await page.getByRole('button', {name: 'Start the search'}).click();
        await page.getByRole('heading', {name: 'how strong?', level: 1}).waitFor();
        const id = await until('the link', () => idOf(page));

        await open(`#/tuning/${id}`);
        const curve = page.getByRole('region', {name: 'Validation loss over the strength'});
        const points = () => curve.locator('circle.point').count();
        const few = await until('some strengths, not all', async () => {
            const count = await points();
            return count >= 1 && count < 16 && count;
        });
        await page.getByRole('progressbar', {name: 'The search'}).waitFor();
        await until('more strengths', async () => await points() > few);
        await server.ended(id);
        await until('all strengths', async () => await points() === 16);
        await page.locator('.title-row .badge').getByText('succeeded').waitFor();

        // Both choices, by name, where the server has them.
        const table = await server.api('GET', `v1/jobs/${id}/tuning`);
        const row = trial => page.locator('table.trials tbody tr').filter({has:
            page.getByRole('link', {name: `Train alone: trial ${trial}`, exact: true})});
        await row(table.min.trial).locator('.badge').getByText('min', {exact: true}).waitFor();
        await row(table.one_se.trial).locator('.badge').getByText('1se', {exact: true}).waitFor();
        await row(table.chosen.trial).locator('.badge').getByText('chosen', {exact: true}).waitFor();
        await curve.getByText(/\bmin\b/).first().waitFor();
        await curve.getByText(/\bchosen\b/).first().waitFor();

        const chosen = table.trials.find(each => each.trial === table.chosen.trial);
        await page.getByRole('link', {name: `Train alone: trial ${chosen.trial}`, exact: true}).click();
        await page.getByRole('heading', {name: 'New job', level: 1}).waitFor();
        await page.getByText('✓ ready to start').waitFor();
        await page.getByRole('button', {name: 'Start the job'}).click();
        const alone = await until('another job', () => idOf(page) !== id && idOf(page));
        const job = await server.ended(alone);
        assert.equal(job.status, 'succeeded');
        assert.equal(job.spec.tune, undefined);
        assert.equal(job.resolved.regularization.l2, chosen.l2);
        await page.locator('.badge').getByText('succeeded').first().waitFor();
    });
});
