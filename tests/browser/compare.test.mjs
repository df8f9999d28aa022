// Runs side by side: chosen by hand and by a link, what differs and which is best as the server has it,
// a zoom that stays while a run learns, and a reload that shows the same.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {describe} from 'node:test';
import {digitsJob, longJob, uploadDigits} from './material.mjs';
import {until} from './server.mjs';
import {settled, Stage} from './stage.mjs';

const query = page => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const list = page => page.getByRole('region', {name: 'Runs', exact: true});
const row = (page, id) => page.locator(`.compare-table tr[data-run="${id}"]`);
const chart = (page, metric) => page.getByRole('region', {name: metric, exact: true});
const whole = page => page.getByRole('button', {name: 'Whole range'});
const link = (page, name, value) => until(`${name} = ${value} in the link`, () => query(page).get(name) === value);

// No run is pointed at: it would stand out, and the others be pale.
const pointNowhere = page => page.mouse.move(700, 20);

// How many of the colours of runs are on the canvas of a chart: those of the list's swatches.
const coloursDrawn = (page, metric) => chart(page, metric).locator('canvas').evaluate(canvas => {
    const inks = [...document.querySelectorAll('.run-list .swatch line')]
        .map(each => getComputedStyle(each).stroke.match(/\d+/g).map(Number));
    // A copy: the chart's own canvas is not one to read from.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
    return inks.filter(([r, g, b]) => {
        let count = 0;
        for (let k = 0; k < data.length; k += 4)
            if (data[k + 3] > 250 && Math.abs(data[k] - r) + Math.abs(data[k + 1] - g) + Math.abs(data[k + 2] - b) < 6)
                count++;
        return count > 10;
    }).length;
});

const picture = (page, metric) => chart(page, metric).locator('canvas').evaluate(canvas => canvas.toDataURL());

describe('compare', () => {
    const jobs = {};
    const ids = () => Object.values(jobs).map(each => each.id);
    const stage = new Stage({prepare: async server => {
        await uploadDigits(server);
        const specs = {
            formula: digitsJob({name: '=cmd|x', regularization: {l2: 1e-3}}),
            strong: digitsJob({name: 'strong', regularization: {l2: 0.3}}),
            narrow: digitsJob({name: 'narrow', model: {hidden: [4]}}),
        };
        for (const [name, spec] of Object.entries(specs))
            jobs[name] = await server.run(spec);
    }});

    stage.check('by the picker: the newest, and one less', '#/compare', async ({page}) => {
        await page.getByRole('button', {name: 'The newest 10'}).click();
        await link(page, 'jobs', ids().reverse().join());
        await list(page).getByRole('heading', {name: '3 runs'}).waitFor();
        await until('three curves', async () => await coloursDrawn(page, 'validation.data_loss') === 3);

        await list(page).getByRole('button', {name: 'Add or remove'}).click();
        const dialog = page.getByRole('dialog', {name: 'Runs to compare'});
        await dialog.getByRole('searchbox').fill('narrow');
        await dialog.getByRole('checkbox').uncheck();
        await dialog.getByText('1 found, 2 of at most 100 chosen').waitFor();
        await dialog.getByRole('button', {name: 'Done'}).click();
        await list(page).getByRole('heading', {name: '2 runs'}).waitFor();
        await link(page, 'jobs', [jobs.strong.id, jobs.formula.id].join());
        assert.equal(await row(page, jobs.narrow.id).count(), 0);
        await pointNowhere(page);
        await until('two curves', async () => await coloursDrawn(page, 'validation.data_loss') === 2);
    });

    stage.check('what differs, and the best of each as the server has it', () => `#/compare?jobs=${ids().join()}`,
        async ({page, server}) => {
            await until('three curves', async () => await coloursDrawn(page, 'gap.loss') === 3);
            const heads = await page.locator('.compare-table thead th').allInnerTexts();
            for (const each of ['regularization.l2', 'model.layers'])
                assert.ok(heads.some(head => head.startsWith(each)), heads.join());
            assert.ok(!heads.some(head => head.startsWith('train.epochs')), heads.join());

            const figures = await Promise.all(ids().map(async id => {
                const names = ['validation.data_loss', 'validation.accuracy', 'gap.loss'];
                const metrics = await server.api('GET', `v1/jobs/${id}/metrics?names=${names.join()}&max_points=1000`);
                const at = metrics.epoch.indexOf((await server.job(id)).best.epoch);
                return {id, ...Object.fromEntries(names.map(name => [name, metrics[name][at]]))};
            }));
            for (const [title, name, sign] of [['Validation loss', 'validation.data_loss', 1],
                ['Accuracy', 'validation.accuracy', -1], ['Gap', 'gap.loss', 1]]) {
                const column = heads.findIndex(each => each.trim() === title);
                assert.ok(column > 0, `${title} in ${heads.join()}`);
                const least = Math.min(...figures.map(each => sign * each[name]));
                for (const each of figures) {
                    const cell = row(page, each.id).locator('th, td').nth(column);
                    const best = sign * each[name] === least;
                    assert.equal((await cell.innerText()).includes('★'), best, `${title} of ${each.id}`);
                    assert.equal(await cell.evaluate(td => td.classList.contains('best')), best);
                    const [digits] = (await cell.innerText()).match(/[-\u2212]?[\d.]+(e-?\d+)?/);
                    const shown = Number(digits.replace('\u2212', '-'));
                    const wanted = name.endsWith('accuracy') ? 100 * each[name] : each[name];
                    assert.ok(Math.abs(shown - wanted) < 1e-2 * Math.abs(wanted), `${title}: ${shown}, not ${wanted}`);
                }
            }
        });

    stage.check('the table as CSV holds no formula', () => `#/compare?jobs=${ids().join()}`, async ({page}) => {
        await row(page, jobs.formula.id).locator('td.best, td.number').first().waitFor();
        const [saved] = await Promise.all([page.waitForEvent('download'),
            page.getByRole('button', {name: 'CSV', exact: true}).click()]);
        assert.equal(saved.suggestedFilename(), 'ockham-compare.csv');
        const [head, ...lines] = readFileSync(await saved.path(), 'utf8').replace(/^\ufeff/, '').trim().split('\r\n');
        assert.ok(head.startsWith('id,name,regularization.l2,'), head);
        assert.equal(lines.length, 3);
        assert.ok(lines[0].startsWith(`${jobs.formula.id},'=cmd|x,0.001,`), lines[0]);
        assert.ok(lines[1].startsWith(`${jobs.strong.id},strong,0.3,`), lines[1]);
        for (const cell of lines.flatMap(each => each.split(',')))
            assert.doesNotMatch(cell, /^[=+@]/);
    });

    stage.check('hidden, shown, alone', () => `#/compare?jobs=${ids().join()}`, async ({page}) => {
        const drawn = count => until(`${count} curves`, async () =>
            await coloursDrawn(page, 'validation.data_loss') === count);
        await drawn(3);
        await list(page).getByRole('checkbox', {name: 'Show strong'}).click();
        // The keyboard is on that run now: it is pointed at, and the others are pale.
        await page.evaluate(() => document.activeElement.blur());
        await pointNowhere(page);
        await drawn(2);
        await link(page, 'hide', jobs.strong.id);
        await page.reload();
        await settled(page);
        await drawn(2);
        assert.equal(await list(page).getByRole('checkbox', {name: 'Show strong'}).isChecked(), false);
        await list(page).getByRole('button', {name: 'Show all'}).click();
        await pointNowhere(page);
        await drawn(3);
        await list(page).getByRole('button', {name: 'Show only =cmd|x'}).click();
        await pointNowhere(page);
        await drawn(1);
    });

    stage.check('choices stand in the link, and a reload shows them', () => `#/compare?jobs=${ids().join()}`,
        async ({page}) => {
            await until('three curves', async () => await coloursDrawn(page, 'gap.loss') === 3);
            await page.getByLabel('Metric of chart 2').selectOption('train.data_loss');
            await page.getByLabel('log y').check();
            await page.getByLabel('log x').check();
            await page.getByRole('slider').fill('0.6');
            await page.getByText('Equal settings, too').click();
            for (const [name, value] of Object.entries({charts: 'validation.data_loss,train.data_loss', logy: '1',
                logx: '1', smooth: '0.6', equal: 'true'}))
                await link(page, name, value);
            const same = async () => {
                assert.equal(await page.getByLabel('Metric of chart 2').inputValue(), 'train.data_loss');
                assert.ok(await page.getByLabel('log y').isChecked());
                assert.ok(await page.getByLabel('log x').isChecked());
                assert.equal(await page.getByRole('slider').inputValue(), '0.6');
                await page.locator('.compare-table th').filter({hasText: 'train.epochs'}).waitFor();
                await until('three curves', async () => await coloursDrawn(page, 'train.data_loss') === 3);
            };
            await same();
            await page.reload();
            await settled(page);
            await same();
            // Smoothing changes the picture.
            const smooth = await picture(page, 'train.data_loss');
            await page.getByRole('slider').fill('0');
            await until('another picture', async () => await picture(page, 'train.data_loss') !== smooth);
        });

    stage.check('a zoom stays while a run learns', '#/compare', async ({page, open, server}) => {
        const id = await server.submit(longJob({name: 'learns'}));
        const epochs = async () => (await server.job(id)).progress.epoch;
        await until('epochs', async () => await epochs() > 30);
        await open(`#/compare?jobs=${id},${jobs.narrow.id}`);
        const plot = chart(page, 'validation.data_loss');
        await until('two curves', async () => await coloursDrawn(page, 'validation.data_loss') === 2);
        assert.equal(await whole(page).count(), 0);
        const grown = async () => {
            const before = await epochs();
            await until('more epochs', async () => await epochs() > before + 20);
            await new Promise(done => setTimeout(done, 900)); // events are drawn at most each 400 ms
        };

        const drag = async () => {
            const over = plot.locator('.u-over');
            await over.scrollIntoViewIfNeeded();
            const box = await over.boundingBox();
            await page.mouse.move(box.x + 0.1 * box.width, box.y + 100);
            await page.mouse.down();
            await page.mouse.move(box.x + 0.3 * box.width, box.y + 110, {steps: 4});
            await page.mouse.up();
            await pointNowhere(page);
            await whole(page).waitFor();
        };
        await drag();
        // What is in sight are epochs that are through: the picture is the same while others come.
        await grown();
        const seen = await picture(page, 'validation.data_loss');
        await grown();
        assert.equal(await picture(page, 'validation.data_loss'), seen);
        await whole(page).click();
        await whole(page).waitFor({state: 'detached'});
        const all = await picture(page, 'validation.data_loss');
        assert.notEqual(all, seen);
        await until('the whole grows', async () => await picture(page, 'validation.data_loss') !== all);

        // By keys.
        await plot.locator('figure').focus();
        await page.keyboard.press('+');
        await whole(page).waitFor();
        await grown();
        assert.equal(await whole(page).count(), 1);
        await page.keyboard.press('Escape');
        await whole(page).waitFor({state: 'detached'});
        await server.api('POST', `v1/jobs/${id}/cancel`);
    });
});
