// What people and files call things is text, never markup: on every page, in every place.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {until} from './server.mjs';
import {settled, Stage} from './stage.mjs';

const PICTURE = '<img src=x onerror=alert(1)>';
const SCRIPT = '"><script>alert(1)</script>';
const LINK = 'javascript:alert(1)';
const EVIL = [PICTURE, SCRIPT, LINK];

// Columns, categories and classes of these names. The columns tell the class.
function table() {
    const quoted = text => `"${text.replaceAll('"', '""')}"`;
    const lines = [[PICTURE, SCRIPT, LINK, 'kind'].map(quoted).join(',')];
    for (let row = 0; row < 240; row++) {
        const kind = row % 3, shift = (row * 37 % 100) / 100;
        lines.push([kind + shift, shift - kind, quoted(EVIL[(row * 7 + kind) % 3]), quoted(EVIL[kind])].join(','));
    }
    return Buffer.from(lines.join('\n') + '\n');
}

const spec = (name, more = {}) => ({
    name,
    labels: {[PICTURE]: SCRIPT, link: LINK},
    data: {dataset: 'evil', validation: 0.25},
    model: {hidden: [8]},
    train: {epochs: 8},
    ...more,
});

// Elements, attributes and addresses that none of our pages has, unless a text became one.
const made = page => page.evaluate(() => {
    const found = [...document.querySelectorAll('img, iframe, object, embed, base, body script, [src="x"]')];
    for (const each of document.querySelectorAll('*'))
        for (const {name, value} of each.attributes)
            if (name.startsWith('on') || (/^(xlink:)?href$|^src|action$/.test(name) && /^\s*javascript:/i.test(value)))
                found.push(each);
    return found.map(each => each.outerHTML.slice(0, 200));
});

describe('markup in names', () => {
    const ids = {};
    const stage = new Stage({prepare: async server => {
        await server.api('PUT', 'v1/datasets/evil?target=kind', table());
        const jobs = [...EVIL.map((name, k) => spec(name, {regularization: {l2: k * 1e-3}})),
            spec(PICTURE, {tune: {l2: [0, 1e-3, 1e-2], folds: 3}})];
        const ended = await Promise.all(jobs.map(each => server.run(each)));
        for (const each of ended)
            assert.equal(each.status, 'succeeded', JSON.stringify(each.error));
        [ids.picture, ids.script, ids.link, ids.search] = ended.map(each => each.id);
        ids.dataset = ended[0].dataset.id;
    }});

    // A check that fails by a dialog, too, and by what was made of a text.
    const check = (name, hash, body, options) => stage.check(name, hash, async given => {
        const dialogs = [];
        const {page} = given;
        page.on('dialog', dialog => {
            dialogs.push(dialog.message());
            void dialog.dismiss();
        });
        const shows = async (where, texts = EVIL) => {
            for (const text of texts)
                await where.getByText(text).filter({visible: true}).first().waitFor();
            assert.deepEqual(await made(page), []);
        };
        await body({...given, shows});
        assert.deepEqual(await made(page), []);
        assert.deepEqual(dialogs, []);
    }, options);

    check('the watch sees what it looks for', '#/system', async ({page, faults}) => {
        await page.evaluate(([picture, link]) => {
            document.querySelector('main').insertAdjacentHTML('beforeend', `<p>${picture}<a href="${link}">a</a></p>`);
        }, [PICTURE, LINK]);
        assert.equal((await made(page)).length, 3); // the picture by its name and by its attribute
        await until('the policy is breached', () => faults.some(each => each.startsWith('content policy')));
        await page.locator('main p:has(img)').evaluate(each => each.remove());
        faults.length = 0;
    });

    check('the list of jobs: names, labels, dialogs, messages', '#/jobs', async ({page, open, server, shows}) => {
        const row = name => page.getByRole('row').filter({has: page.getByRole('link', {name, exact: true})}).first();
        for (const name of EVIL) {
            await row(name).waitFor();
            await shows(row(name), [PICTURE, SCRIPT, LINK]);
        }
        await page.getByRole('button', {name: `${PICTURE}=${SCRIPT}`}).first().click();
        await page.getByRole('button', {name: `No longer only ${PICTURE}=${SCRIPT}`}).waitFor();
        for (const name of EVIL)
            await row(name).waitFor();

        const gone = await server.run(spec(SCRIPT, {labels: {what: 'gone'}}));
        await open(`#/jobs?q=${encodeURIComponent('what=gone')}`);
        const box = page.getByRole('checkbox', {name: `Select ${SCRIPT}`});
        await box.click();
        const bar = page.getByRole('region', {name: 'Selected jobs'});
        await bar.getByRole('button', {name: 'Edit'}).click();
        const edit = page.getByRole('dialog');
        await until('the name is in its field', async () => (await edit.getByLabel('Name').first().inputValue()) === SCRIPT);
        await edit.getByRole('button', {name: 'Close'}).click();
        await bar.getByRole('button', {name: 'Delete'}).click();
        const sure = page.getByRole('dialog', {name: `Delete ${SCRIPT}?`});
        await shows(sure, [SCRIPT]);
        await sure.getByRole('button', {name: 'Delete', exact: true}).click();
        await shows(page.locator('.toasts'), [`Deleted ${SCRIPT}`]);
        assert.equal((await fetch(`${server.url}v1/jobs/${gone.id}`)).status, 404);
    });

    for (const [tab, see] of Object.entries({
        overview: {texts: [PICTURE, SCRIPT, LINK], where: '.job-head'},
        layers: {texts: ['All layers']},
        evaluation: {texts: EVIL},
        try: {texts: EVIL},
        spec: {texts: [PICTURE, LINK]},
        events: {texts: ['epoch']},
        model: {texts: ['safetensors']},
    }))
        check(`a job: ${tab}`, () => `#/jobs/${ids.picture}?tab=${tab}`, async ({page, shows}) => {
            await page.getByRole('heading', {level: 1, name: PICTURE, exact: true}).waitFor();
            assert.equal(await page.title(), `${PICTURE} · Ockham`);
            await shows(page.locator(see.where ?? '#job-panel'), see.texts);
            if (tab === 'evaluation')
                await shows(page.getByRole('region', {name: 'Confusion matrix'}));
            if (tab === 'try') {
                await page.locator('.answer .figure').waitFor();
                await shows(page.locator('.probabilities'));
                await page.locator('.row-fields .field').filter({has: page.getByTitle(LINK, {exact: true})}).locator('select')
                    .selectOption(SCRIPT);
                await page.getByRole('button', {name: 'Rows of a file'}).click();
                await page.getByRole('button', {name: 'Example'}).click();
                await page.getByRole('button', {name: 'Predict'}).click();
                const told = page.getByRole('region', {name: 'Predictions'}).or(page.getByRole('group', {name: 'Predictions'}));
                await until('a class is told', async () => EVIL.includes(
                    (await told.locator('td.wrap').first().textContent()).trim()));
            }
            if (tab === 'events') {
                await page.getByLabel('Type').selectOption('end');
                await page.locator('.event .row-button').first().click();
                await page.locator('.chosen-event').waitFor();
            }
        });

    check('compared runs: list, table, readouts, picker', () => `#/compare?jobs=${ids.picture},${ids.script},${ids.link}`,
        async ({page, shows}) => {
            await shows(page.getByRole('region', {name: 'Runs', exact: true}));
            await shows(page.locator('.compare-table'));
            const plot = page.locator('.compare-plot').first();
            const over = await plot.locator('.u-over').boundingBox();
            await until('a run is pointed at', async () => {
                for (let part = 0.1; part < 1; part += 0.1) {
                    await page.mouse.move(over.x + over.width / 2, over.y + part * over.height);
                    if (EVIL.includes(await plot.locator('.readout .clip').textContent({timeout: 200}).catch(() => '')))
                        return true;
                }
                return false;
            });
            assert.deepEqual(await made(page), []);
            await shows(page.locator('.scatter .readout .clip').locator('..'),
                [await page.locator('.scatter .readout .clip').textContent()]);
            await page.getByRole('button', {name: 'Add or remove'}).click();
            await shows(page.getByRole('dialog', {name: 'Runs to compare'}));
        });

    check('searches: the list and the table', '#/tuning', async ({page, open, shows}) => {
        await shows(page.locator('.search-list'), [PICTURE]);
        await open(`#/tuning/${ids.search}`);
        await page.getByRole('heading', {level: 1, name: PICTURE, exact: true}).waitFor();
        await shows(page.locator('main'), [PICTURE]);
    });

    check('datasets: files, columns, classes', '#/datasets', async ({page, open, shows}) => {
        await page.locator('input[type=file]').setInputFiles([{name: `${PICTURE}.csv`, mimeType: 'text/csv', buffer: table()}]);
        const upload = page.getByRole('region', {name: `: ${PICTURE}.csv`});
        await shows(upload);
        await upload.getByRole('combobox', {name: 'Target'}).fill(`${PICTURE}${SCRIPT}`);
        await upload.getByRole('button', {name: 'Upload'}).click();
        await shows(upload.getByRole('alert'), [PICTURE]);
        await upload.getByRole('button', {name: SCRIPT, exact: true}).click();
        await upload.getByRole('button', {name: 'Try again'}).click();
        await shows(upload.getByRole('status'), [SCRIPT]);

        await open(`#/datasets/${ids.dataset}`);
        await shows(page.getByRole('region', {name: 'Target'}));
        const columns = page.getByRole('region', {name: 'Table of columns'});
        await shows(columns);
        for (const name of EVIL) {
            await columns.getByRole('button', {name, exact: true}).click();
            const detail = page.locator('.column-detail');
            await detail.getByRole('heading', {name, exact: true}).waitFor();
            await shows(detail, [name]);
        }
        await shows(page.locator('.column-detail .count-bars')); // the last one's categories
    }, {allowed: /422/});

    check('a new job with that dataset, and the copy of one', () => `#/new?dataset=${ids.dataset}`,
        async ({page, open, shows}) => {
            await shows(page.locator('.brief'));
            await page.getByText('all 3 columns: take some out').click();
            await shows(page.getByRole('group', {name: 'Features', exact: true}));
            const target = page.locator('[id="f/data/target"]');
            await target.click();
            await shows(page.getByRole('listbox'));
            await target.fill(`${PICTURE}${SCRIPT}`);
            await target.press('Enter');
            await shows(page.locator('.check-panel'), [PICTURE]);
            await open(`#/new?clone=${ids.script}`);
            await until('the copy is in the form', async () =>
                await page.locator('[id="f/name"]').inputValue() === SCRIPT);
        });

    check('addresses that name what is not there', '#/jobs', async ({page, open, shows}) => {
        for (const text of EVIL) {
            const part = encodeURIComponent(text);
            for (const where of ['jobs', 'tuning', 'datasets']) {
                await open(`#/${where}/${part}`);
                await page.getByText(/There is no such/).first().waitFor();
                assert.deepEqual(await made(page), []);
            }
            await open(`#/jobs?q=${part}`);
            await page.getByRole('searchbox').first().waitFor();
            await open(`#/datasets?q=${part}`);
            await shows(page.locator('main'), [text]);
            await open(`#/compare?jobs=${part}&charts=${part}&sort=${part}`);
            await open(`#/new?spec=${part}`);
            await settled(page);
            assert.deepEqual(await made(page), []);
        }
    }, {allowed: /404|400|422/});
});
