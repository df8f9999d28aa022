// The table of all jobs: found by words, states and labels that a link keeps, led by mouse and keys,
// one or many at once; three hundred of them, and on a phone.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {isDeepStrictEqual} from 'node:util';
import {digitsJob, heartJob, longJob, uploadDigits, uploadHeart} from './material.mjs';
import {until} from './server.mjs';
import {settled, Stage} from './stage.mjs';


// The address follows what is chosen a moment later.
async function link(page, wanted) {
    const query = () => Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.split('?')[1]));
    const end = Date.now() + 20_000;
    while (Date.now() < end && !isDeepStrictEqual(query(), wanted))
        await new Promise(done => setTimeout(done, 20));
    assert.deepEqual(query(), wanted);
}

const row = (page, name) => page.locator('tr.job').filter({has: page.getByRole('link', {name, exact: true})});
const state = (page, name, status) => row(page, name).locator('.badge').getByText(status).waitFor();
const above = (page, text) => page.locator('.above').getByText(text, {exact: true}).waitFor();
const names = page => page.locator('tr.job a.name').allInnerTexts();
const focused = page => page.evaluate(() => document.activeElement.closest('tr.job')?.dataset.index);
const selection = page => page.getByRole('region', {name: 'Selected jobs'});

// What was done is said once, whatever the number of jobs.
async function saysOnce(page, text) {
    await page.locator('.toast').getByText(text, {exact: true}).waitFor();
    assert.deepEqual(await page.locator('.toast > span').allInnerTexts(), [text]);
    await page.locator('.toast').getByRole('button', {name: 'Dismiss'}).click();
}

async function choose(page, name, item) {
    await row(page, name).getByLabel(`More for ${name}`).click();
    await page.getByRole('menuitem', {name: item, exact: true}).click();
}

const training = (server, id) => until(`${id} trains`, async () => {
    const job = await server.job(id);
    return job.status === 'running' && job.latest && job;
});

const status = async (server, ids) => (await Promise.all(ids.map(id => server.job(id)))).map(each => each.status);
const oneThread = {epochs: 1_000_000, batch_size: 32, threads: 1};

describe('jobs', () => {
    const ids = {};
    const stage = new Stage({args: ['--cores=3'], prepare: async server => {
        await Promise.all([uploadDigits(server), uploadHeart(server)]);
        const specs = [
            heartJob({name: 'alpha', labels: {team: 'heart', try: '1'}}),
            heartJob({name: 'beta', labels: {team: 'heart', try: '2'}, regularization: {l2: 0.1}}),
            digitsJob({name: 'gamma', labels: {team: 'digits, and more'}}),
            digitsJob({name: 'too fast', labels: {team: 'heart'}, optimizer: {lr: 1e6, momentum: 0.9}}),
        ];
        for (const each of specs) // one after another: the newest stands first
            ids[each.name] = (await server.run(each)).id;
    }});

    stage.check('words, state, label and order stand in the link', '#/jobs', async ({page}) => {
        await above(page, '4 of 4 jobs');
        assert.deepEqual(await names(page), ['too fast', 'gamma', 'beta', 'alpha']);
        await page.getByRole('searchbox', {name: 'Search jobs'}).fill('HEART try=2');
        await above(page, '1 of 4 jobs');
        assert.deepEqual(await names(page), ['beta']);
        await page.getByRole('searchbox', {name: 'Search jobs'}).fill('no such job');
        await page.getByRole('button', {name: 'Show all jobs'}).click();
        await above(page, '4 of 4 jobs');

        await row(page, 'alpha').getByRole('button', {name: 'team=heart'}).click();
        await above(page, '3 of 4 jobs');
        await link(page, {label: encodeURIComponent('team=heart')});
        await page.locator('.chip.of-failed').click();
        await above(page, '1 of 4 jobs');
        assert.deepEqual(await names(page), ['too fast']);
        await page.locator('.chip.of-succeeded').click();
        await page.locator('th .sorter').filter({hasText: 'Name'}).click();
        await page.getByRole('searchbox', {name: 'Search jobs'}).fill('a');
        await above(page, '3 of 4 jobs');

        const same = async () => {
            assert.deepEqual(await names(page), ['alpha', 'beta', 'too fast']);
            assert.equal(await page.getByRole('searchbox', {name: 'Search jobs'}).inputValue(), 'a');
            for (const each of ['failed', 'succeeded'])
                assert.equal(await page.locator(`.chip.of-${each}`).getAttribute('aria-pressed'), 'true');
            assert.equal(await page.getByRole('columnheader', {name: 'Name'}).getAttribute('aria-sort'), 'ascending');
        };
        await same();
        await link(page, {q: 'a', label: encodeURIComponent('team=heart'), status: 'failed,succeeded', sort: 'name'});
        await page.reload();
        await settled(page);
        await above(page, '3 of 4 jobs');
        await same();

        // A comma in a label's value is not two labels.
        await page.getByRole('button', {name: 'No longer only team=heart'}).click();
        await page.getByLabel('Only jobs with a label').selectOption('team=digits, and more');
        await link(page, {q: 'a', label: encodeURIComponent('team=digits, and more'), status: 'failed,succeeded',
            sort: 'name'});
        await page.reload();
        await above(page, '1 of 4 jobs');
        assert.deepEqual(await names(page), ['gamma']);
    });

    stage.check('a new job appears, learns and ends without a reload', '#/jobs?q=live', async ({page, server}) => {
        const id = await server.submit(longJob({name: 'live', train: oneThread}));
        await state(page, 'live', 'running');
        const epochs = async () => Number((await row(page, 'live').locator('.done').innerText())
            .match(/^[\d,]+/)?.[0].replaceAll(',', '') ?? 0);
        await until('epochs', async () => await epochs() > 1);
        const first = await epochs();
        await until('more epochs', async () => await epochs() > first);
        await row(page, 'live').locator('svg.spark path').waitFor({state: 'attached'});
        await server.api('POST', `v1/jobs/${id}/cancel`);
        await state(page, 'live', 'cancelled');
        await server.api('DELETE', `v1/jobs/${id}`);
        await row(page, 'live').waitFor({state: 'detached'});
    });

    stage.check('one job: paused and resumed by its row, deleted by its menu, which asks', '#/jobs?q=single',
        async ({page, server}) => {
            const id = await server.submit(longJob({name: 'single', train: oneThread}));
            await training(server, id);
            await row(page, 'single').getByLabel('Pause single').click();
            await saysOnce(page, 'Pausing single');
            await state(page, 'single', 'paused');
            const {epoch} = (await server.job(id)).progress;
            await row(page, 'single').getByLabel('Resume single').click();
            await saysOnce(page, 'Resuming single');
            await until('it goes on', async () => (await server.job(id)).progress.epoch > epoch);

            await row(page, 'single').getByLabel('More for single').click();
            assert.equal(await page.getByRole('menuitem', {name: 'Delete'}).count(), 0);
            await page.getByRole('menuitem', {name: 'Stop', exact: true}).click();
            await saysOnce(page, 'Stopping single');
            await state(page, 'single', 'succeeded');
            assert.equal((await server.job(id)).stop_reason, 'stopped');

            await choose(page, 'single', 'Delete');
            const dialog = page.getByRole('dialog', {name: 'Delete single?'});
            await dialog.getByRole('button', {name: 'Keep'}).click();
            await dialog.waitFor({state: 'detached'});
            assert.equal((await server.job(id)).status, 'succeeded');
            await choose(page, 'single', 'Delete');
            await dialog.waitFor();
            await page.keyboard.press('Escape');
            await dialog.waitFor({state: 'detached'});
            assert.equal((await server.job(id)).status, 'succeeded');
            await choose(page, 'single', 'Delete');
            await page.locator('dialog button.danger').click();
            await saysOnce(page, 'Deleted single');
            await page.getByRole('heading', {name: 'No job matches'}).waitFor();
            await assert.rejects(server.job(id), /404/);
        });

    stage.check('several at once: pause, resume, stop, cancel, delete', '#/jobs?q=many', async ({page, server}) => {
        const many = [];
        for (const each of ['one', 'two', 'three'])
            many.push(await server.submit(longJob({name: `many ${each}`, train: oneThread})));
        await Promise.all(many.map(id => training(server, id)));
        await row(page, 'many three').getByRole('checkbox').click();
        await row(page, 'many one').getByRole('checkbox').click({modifiers: ['Shift']});
        await selection(page).getByText('3 selected', {exact: true}).waitFor();
        const press = name => selection(page).getByRole('button', {name, exact: true}).click();

        await press('Pause');
        await saysOnce(page, 'Pausing 3 jobs');
        for (const each of ['one', 'two', 'three'])
            await state(page, `many ${each}`, 'paused');
        assert.deepEqual(await status(server, many), ['paused', 'paused', 'paused']);
        await press('Resume');
        await saysOnce(page, 'Resuming 3 jobs');
        await Promise.all(many.map(id => training(server, id)));
        for (const each of ['one', 'two', 'three'])
            await state(page, `many ${each}`, 'running');

        // One leaves the selection and ends otherwise.
        await row(page, 'many one').getByRole('checkbox').click();
        await press('Cancel');
        const dialog = page.getByRole('dialog', {name: 'Cancel 2 jobs?'});
        await dialog.getByRole('button', {name: 'Keep'}).click();
        assert.deepEqual(await status(server, many), ['running', 'running', 'running']);
        await press('Cancel');
        await dialog.getByRole('button', {name: 'Cancel the jobs'}).click();
        await saysOnce(page, 'Cancelling 2 jobs');
        await state(page, 'many two', 'cancelled');
        await state(page, 'many three', 'cancelled');
        await page.getByRole('checkbox', {name: 'Select all shown'}).click();
        await selection(page).getByText('3 selected', {exact: true}).waitFor();
        await press('Stop 1');
        await saysOnce(page, 'Stopping many one');
        await state(page, 'many one', 'succeeded');

        await page.getByRole('searchbox', {name: 'Search jobs'}).fill('two');
        await selection(page).getByText('3 selected, 2 not shown').waitFor();
        await press('Delete');
        await page.getByRole('dialog', {name: 'Delete 3 jobs?'}).getByText('3 jobs go with their models').waitFor();
        await page.locator('dialog button.danger').click();
        await saysOnce(page, 'Deleted 3 jobs');
        await page.getByRole('searchbox', {name: 'Search jobs'}).fill('');
        await above(page, '4 of 4 jobs');
        for (const id of many)
            await assert.rejects(server.job(id), /404/);
    });

    stage.check('a clone is a filled form, and a job of its own', '#/jobs', async ({page, server}) => {
        await choose(page, 'beta', 'Clone');
        await page.getByRole('heading', {name: 'New job', level: 1}).waitFor();
        await page.getByText('Begun as a copy of').waitFor();
        assert.equal(await page.getByRole('textbox', {name: 'Name'}).inputValue(), 'beta');
        const old = await server.job(ids.beta);
        assert.deepEqual(JSON.parse(await page.locator('#spec-json').inputValue()), old.spec);
        await page.getByRole('textbox', {name: 'Name'}).fill('beta again');
        await page.getByText('✓ ready to start').waitFor();
        await page.getByRole('button', {name: 'Start the job'}).click();
        await page.getByRole('heading', {name: 'beta again', level: 1}).waitFor();
        const id = page.url().match(/job_\w+/)[0];
        assert.notEqual(id, ids.beta);
        const job = await server.ended(id);
        assert.deepEqual(job.spec, {...old.spec, name: 'beta again'});
        // The same spec and data: the same result.
        assert.equal(job.best.value, old.best.value);
        await server.api('DELETE', `v1/jobs/${id}`);
    });

    stage.check('name and labels are edited, of one and of several', '#/jobs', async ({page, server}) => {
        const odd = '<img src=x onerror=alert(1)>';
        const id = (await server.run(heartJob({name: 'to be named', labels: {old: 'yes', kept: '1'}}))).id;
        await row(page, 'to be named').waitFor();
        await choose(page, 'to be named', 'Edit name and labels');
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('textbox', {name: 'Name'}).fill('named');
        await dialog.locator('.edit-label').filter({hasText: 'old'}).getByRole('button').click();
        await dialog.getByRole('button', {name: 'Add a label'}).click();
        await dialog.locator('.edit-label input[placeholder="key"]').fill('note');
        await dialog.locator('.edit-label').last().getByPlaceholder('value').fill(odd);
        await dialog.getByRole('button', {name: 'Save'}).click();
        await saysOnce(page, 'Saved');
        await row(page, 'named').getByRole('button', {name: `note=${odd}`}).waitFor();
        assert.equal(await page.locator('main img').count(), 0);
        let job = await server.job(id);
        assert.deepEqual([job.name, job.labels], ['named', {kept: '1', note: odd}]);

        // What they do not have in common stays.
        await row(page, 'named').getByRole('checkbox').click();
        await row(page, 'gamma').getByRole('checkbox').click();
        await selection(page).getByRole('button', {name: 'Labels'}).click();
        await dialog.getByRole('button', {name: 'Add a label'}).click();
        await dialog.locator('.edit-label input[placeholder="key"]').fill('both');
        await dialog.locator('.edit-label').last().getByPlaceholder('value').fill('2');
        await dialog.getByRole('button', {name: 'Save'}).click();
        await saysOnce(page, 'Saved 2 jobs');
        job = await server.job(id);
        assert.deepEqual(job.labels, {kept: '1', note: odd, both: '2'});
        assert.deepEqual((await server.job(ids.gamma)).labels, {team: 'digits, and more', both: '2'});
        await row(page, 'gamma').getByRole('button', {name: 'both=2'}).waitFor();
        // What somebody else changes is seen at once.
        await server.api('PATCH', `v1/jobs/${id}`, {name: 'named by another'});
        await server.api('PATCH', `v1/jobs/${ids.gamma}`, {labels: {team: 'digits, and more'}});
        await row(page, 'named by another').waitFor();
        await until('gamma has its labels', async () => !await row(page, 'gamma').getByText('both=2').count());
        await server.api('DELETE', `v1/jobs/${id}`);
    });

    stage.check('by keys alone', '#/jobs', async ({page}) => {
        await above(page, '4 of 4 jobs');
        await page.keyboard.press('/');
        await page.keyboard.type('a');
        await link(page, {q: 'a'});
        await page.keyboard.press('Enter');
        await until('the first row', async () => await focused(page) === '0');
        await page.keyboard.press('ArrowDown');
        await until('the second row', async () => await focused(page) === '1');
        await page.keyboard.press('Space');
        await selection(page).getByText('1 selected', {exact: true}).waitFor();
        for (const index of ['2', '3']) {
            await page.keyboard.press('Shift+ArrowDown');
            await until(`row ${index}`, async () => await focused(page) === index);
        }
        await selection(page).getByText('3 selected', {exact: true}).waitFor();
        assert.equal(await page.locator('tr.job[aria-selected="true"]').count(), 3);
        await page.keyboard.press('Escape');
        await above(page, '4 of 4 jobs');
        await page.keyboard.press('Home');
        await until('the first row', async () => await focused(page) === '0');
        // To what the row holds, and back.
        await page.keyboard.press('ArrowRight');
        await page.keyboard.press('ArrowRight');
        assert.equal(await page.evaluate(() => document.activeElement.textContent), 'too fast');
        await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('Enter');
        await page.getByRole('heading', {name: 'too fast', level: 1}).waitFor();
        assert.ok(page.url().includes(`#/jobs/${ids['too fast']}`));
    });
});

describe('three hundred jobs', () => {
    const COUNT = 300;
    const stage = new Stage({args: ['--cores=1'], prepare: async server => {
        await uploadHeart(server);
        // The first takes the only core, so that the others wait: none of this moves.
        const busy = await server.submit(heartJob({name: 'job 1', train: {epochs: 100_000_000, threads: 1}}));
        await training(server, busy);
        for (let first = 2; first <= COUNT; first += 20)
            await Promise.all(Array.from({length: Math.min(20, COUNT + 1 - first)}, (_, k) =>
                server.submit(heartJob({name: `job ${first + k}`, labels: {third: String((first + k) % 3)}}))));
    }});

    stage.check('few rows are in the page, and all can be reached', '#/jobs', async ({page}) => {
        await above(page, `${COUNT} of ${COUNT} jobs`);
        const table = page.locator('table.jobs');
        assert.equal(await table.getAttribute('aria-rowcount'), String(COUNT + 1));
        const drawn = () => page.locator('tr.job').count();
        assert.ok(await drawn() >= 10 && await drawn() <= 60, String(await drawn()));
        await page.locator('tr.job[tabindex="0"]').focus();
        await page.keyboard.press('End');
        await until('the last row', async () => await focused(page) === String(COUNT - 1));
        assert.equal(await page.locator('tr.job:focus').getAttribute('aria-rowindex'), String(COUNT + 1));
        await page.waitForFunction(() => {
            const {top, bottom} = document.activeElement.getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;
        });
        assert.ok(await drawn() <= 60, String(await drawn()));

        // All that are shown, whether they are drawn or not.
        await page.locator('thead input').click();
        await selection(page).getByText(`${COUNT} selected`, {exact: true}).waitFor();
        await page.keyboard.press('Escape');
        await page.getByLabel('Only jobs with a label').selectOption('third=0');
        await above(page, `100 of ${COUNT} jobs`);
        assert.equal(await table.getAttribute('aria-rowcount'), '101');
    });

    stage.check('cards on a phone', '#/jobs', async ({page}) => {
        await above(page, `${COUNT} of ${COUNT} jobs`);
        const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        const card = await page.locator('tr.job').first().boundingBox();
        assert.ok(card.height > 120 && card.x >= 0 && card.x + card.width <= 360, JSON.stringify(card));
        assert.ok(await wide() <= 0);
        assert.ok(await page.locator('tr.job').count() <= 40);
        // No part of a card is cut off at the side.
        const cut = await page.locator('tr.job').first().evaluate(each =>
            [...each.querySelectorAll('a, button, .badge')].map(part => part.getBoundingClientRect())
                .filter(({width, left, right}) => width && (left < 0 || right > innerWidth)).length);
        assert.equal(cut, 0);

        await page.getByLabel('Sort').selectOption('created');
        await link(page, {sort: 'created'});
        await page.locator('tr.job[data-index="0"]').filter({hasText: 'job 1'}).waitFor();
        await page.mouse.move(180, 500);
        await page.mouse.wheel(0, 148 * 150);
        await page.locator('tr.job[data-index="150"]').waitFor();
        assert.ok(await page.locator('tr.job').count() <= 40);
        await page.locator('tr.job[data-index="150"]').getByRole('checkbox').click();
        await selection(page).getByText('1 selected', {exact: true}).waitFor();
        assert.ok(await wide() <= 0);
    }, {viewport: {width: 360, height: 760}});
});
