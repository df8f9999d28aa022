// The form and the JSON of a new job: one spec in two forms, checked while one types, and sent once.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {digitsJob, uploadDigits, uploadHeart} from './material.mjs';
import {until} from './server.mjs';
import {settled, Stage} from './stage.mjs';

const json = page => page.locator('#spec-json');
const spec = async page => JSON.parse(await json(page).inputValue());
const field = (page, path) => page.locator(`[id="f/${path}"]`);
const start = page => page.getByRole('button', {name: /^Start the (job|search)$/});
const jobs = async server => (await server.api('GET', 'v1/jobs?limit=100')).items;

describe('new', () => {
    const stage = new Stage({prepare: async server => {
        await Promise.all([uploadDigits(server), uploadHeart(server)]);
    }});

    stage.check('the form writes the JSON, and the JSON the form', '#/new?dataset=digits', async ({page}) => {
        await field(page, 'train/epochs').fill('7');
        await field(page, 'regularization/l2').fill('1e-3');
        await until('the JSON follows', async () => (await spec(page)).regularization?.l2 === 1e-3);
        assert.deepEqual(await spec(page), {data: {dataset: 'digits'}, regularization: {l2: 1e-3}, train: {epochs: 7}});

        await json(page).fill('{"data": {"dataset": "digits"},\n  "train": {"epochs": 9}, "optimizer": {"name": "adam"}}');
        await until('the form follows', async () => await field(page, 'train/epochs').inputValue() === '9');
        assert.equal(await field(page, 'optimizer/name').locator('option:checked').textContent(), 'adam');
        assert.equal(await field(page, 'regularization/l2').inputValue(), '');
        await page.getByRole('button', {name: 'Reset Epochs'}).click();
        assert.equal((await spec(page)).train, undefined);
        assert.equal(await field(page, 'train/epochs').getAttribute('placeholder'), 'default: 10');
    });

    stage.check('what the job will need, as the server says it', '#/new?dataset=digits', async ({page, server}) => {
        const told = await server.api('POST', 'v1/jobs/validate', {data: {dataset: 'digits'}});
        await page.locator('.check-panel').getByText(told.parameters.toLocaleString('en')).waitFor();
        await page.locator('.check-panel').getByText(String(told.steps_per_epoch), {exact: true}).waitFor();
        await page.getByRole('button', {name: 'Add a layer'}).click();
        const {model} = await spec(page);
        assert.equal(model.hidden.length, 2);
        const more = await server.api('POST', 'v1/jobs/validate', {data: {dataset: 'digits'}, model});
        await page.locator('.check-panel').getByText(more.parameters.toLocaleString('en')).waitFor();
    });

    stage.check('faults stand at their fields, a misspelt key is mended by a click', '#/new?dataset=digits', async ({page}) => {
        await json(page).fill('{"data": {"dataset": "digits"}, "regularisation": {"l2": 0.1}, "train": {"batch_size": 0}}');
        await page.locator('[id="f/train/batch_size-box"] .wrong').waitFor();
        assert.ok(await start(page).isVisible());
        await page.locator('.suggestion').filter({hasText: 'regularization'}).first().click();
        await until('it is mended', async () => (await spec(page)).regularization?.l2 === 0.1);
        assert.equal((await spec(page)).regularisation, undefined);

        await json(page).fill('{"data": {"dataset": "digits"},\n "train": {"epochs": 3,}}');
        await page.getByText(/line 2/i).first().waitFor();
        await page.locator('fieldset.form[disabled]').waitFor({state: 'attached'});
    });

    stage.check('a draft survives a reload and a trip', '#/new?dataset=digits', async ({page, open}) => {
        await field(page, 'name').fill('kept');
        await until('it is written', async () => (await spec(page)).name === 'kept');
        await page.reload();
        await settled(page);
        assert.equal((await spec(page)).name, 'kept');
        await open('#/jobs');
        await open('#/new');
        assert.equal(await field(page, 'name').inputValue(), 'kept');
    });

    stage.check('a job is begun from another one, and from a link', '#/new', async ({page, open, server}) => {
        const {id} = await server.run(digitsJob({name: 'the first'}));
        await open(`#/new?clone=${id}`);
        await until('it is a copy', async () => (await spec(page)).name === 'the first');
        assert.deepEqual(await spec(page), (await server.job(id)).spec);
        const given = {name: 'by link', data: {dataset: 'heart'}, __proto__: {}};
        await open(`#/new?spec=${encodeURIComponent(JSON.stringify(given))}`);
        await until('it is the link’s', async () => (await spec(page)).name === 'by link');
        await until('the link lets go of it', () => !page.url().includes('spec='));
        assert.equal((await jobs(server)).filter(job => job.name === 'by link').length, 0);
    });

    stage.check('a double click and a lost answer make one job', '#/new?dataset=digits', async ({page, server}) => {
        await field(page, 'name').fill('once');
        await field(page, 'train/epochs').fill('2');
        const keys = [];
        let lost = 0;
        await page.route('**/v1/jobs', async route => {
            if (route.request().method() !== 'POST')
                return route.continue();
            keys.push(route.request().headers()['idempotency-key']);
            if (lost++)
                return route.continue();
            await route.fetch(); // the server has it, the page never hears
            return route.abort();
        });
        await start(page).click();
        await page.getByText('The server does not answer').first().waitFor();
        await start(page).dblclick();
        await page.getByRole('heading', {level: 1, name: 'once'}).waitFor();
        assert.equal(new Set(keys).size, 1);
        assert.ok(keys[0]);
        assert.equal((await jobs(server)).filter(job => job.name === 'once').length, 1);
    }, {allowed: /ERR_FAILED/});

    stage.check('a file that is not UTF-8 is no spec, and the draft stays', '#/new?dataset=digits', async ({page}) => {
        const area = page.getByRole('textbox', {name: 'The spec as JSON'});
        await until('the draft', async () => (await area.inputValue()).includes('digits'));
        const before = await area.inputValue();
        const load = bytes => page.locator('.json-panel input[type=file]').setInputFiles(
            {name: 'spec.json', mimeType: 'application/json', buffer: Buffer.from(bytes)});
        await load([...Buffer.from('{"name": "caf'), 0xe9, ...Buffer.from('"}')]);
        await page.getByText('spec.json is not UTF-8').waitFor();
        assert.equal(await area.inputValue(), before);
        await load('\uFEFF{"name": "café"}\n');
        await until('the loaded one', async () => await area.inputValue() === '{"name": "café"}');
    });

    stage.check('a search is a switch', '#/new?dataset=heart', async ({page, server}) => {
        await page.getByRole('checkbox', {name: 'Find the strength'}).check();
        await until('it is a search', async () => (await spec(page)).tune);
        const told = await server.api('POST', 'v1/jobs/validate', await spec(page));
        await page.locator('.check-panel').getByText(String(told.runs)).first().waitFor();
        await page.keyboard.press('Control+Enter');
        await page.getByRole('heading', {level: 1}).filter({hasNotText: 'New job'}).waitFor();
        const [newest] = await jobs(server);
        assert.ok(newest.resolved.tune);
        await server.ended(newest.id);
    });
});
