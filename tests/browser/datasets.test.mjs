// Datasets from the file in a person's hand to its columns, and away again.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe} from 'node:test';
import {gunzipSync} from 'node:zlib';
import {longJob, uploadDigits, uploadHeart} from './material.mjs';
import {ROOT, until} from './server.mjs';
import {Stage} from './stage.mjs';

const data = name => readFileSync(join(ROOT, 'tests/data', name));
const asFile = (name, bytes, mimeType = 'application/octet-stream') => ({name, mimeType, buffer: Buffer.from(bytes)});
const choose = (page, ...files) => page.locator('input[type=file]').setInputFiles(files);
const upload = (page, title) => page.getByRole('region', {name: new RegExp(`^Upload \\d+: ${title}$`)});
const query = page => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const named = async (server, name) => (await server.api('GET', 'v1/datasets')).items.find(each => each.name === name);

// What the browser sends when files are let go over the page.
async function drop(page, ...files) {
    const held = await page.evaluateHandle(all => {
        const transfer = new DataTransfer();
        for (const {name, text} of all)
            transfer.items.add(new File([text], name));
        return transfer;
    }, files);
    for (const type of ['dragenter', 'dragover'])
        await page.locator('main').dispatchEvent(type, {dataTransfer: held});
    await page.locator('.drop-mark').waitFor();
    await page.locator('main').dispatchEvent('drop', {dataTransfer: held});
    await page.locator('.drop-mark').waitFor({state: 'detached'});
}

// An IDX file of bytes: its magic number, its sizes, its values.
function idx(sizes, values) {
    const head = Buffer.alloc(4 + 4 * sizes.length);
    head.writeUInt32BE(0x0800 + sizes.length);
    sizes.forEach((size, k) => head.writeUInt32BE(size, 4 + 4 * k));
    return Buffer.concat([head, Buffer.from(values)]);
}

// The digits as images and labels.
function digitParts() {
    const rows = gunzipSync(data('digits.csv.gz')).toString().trim().split('\n')
        .map(line => line.split(',').map(Number)).filter(row => row.every(Number.isFinite));
    return {
        count: rows.length,
        images: idx([rows.length, 8, 8], rows.flatMap(row => row.slice(0, 64))),
        labels: idx([rows.length], rows.map(row => row[64])),
    };
}

describe('datasets', () => {
    const stage = new Stage({prepare: async server => {
        await Promise.all([uploadDigits(server), uploadHeart(server)]);
    }});

    stage.check('a dropped file: the target is chosen among its columns, and it is ready', '#/datasets',
        async ({page, server}) => {
            const text = data('heart_scale.csv').toString();
            const names = text.split('\n', 1)[0].split(',');
            await drop(page, {name: 'My hearts (1).csv', text});
            const box = upload(page, 'My hearts \\(1\\)\\.csv');
            assert.equal(await box.getByLabel('Name', {exact: true}).inputValue(), 'My-hearts-1');
            const picks = box.getByRole('group', {name: 'Columns: choose the target'}).getByRole('button');
            await picks.first().waitFor();
            assert.deepEqual((await picks.allTextContents()).map(each => each.trim()), names);
            assert.equal(await box.getByRole('combobox', {name: 'Target'}).getAttribute('placeholder'), 'default: label');
            await picks.getByText('f12', {exact: true}).click();
            assert.equal(await box.getByRole('combobox', {name: 'Target'}).inputValue(), 'f12');
            await box.getByRole('button', {name: 'Upload'}).click();
            await box.getByText('ready').waitFor();
            await box.getByText(`270 rows, ${names.length} columns, target f12`).waitFor();

            const kept = await named(server, 'My-hearts-1');
            assert.deepEqual([kept.status, kept.rows, kept.target.name], ['ready', 270, 'f12']);
            await page.getByRole('region', {name: 'Table of datasets'}).getByRole('link', {name: 'My-hearts-1', exact: true})
                .waitFor();
            await box.getByRole('link', {name: 'Look at it'}).click();
            await page.getByRole('heading', {level: 1, name: 'My-hearts-1'}).waitFor();
        });

    stage.check('a chosen file, sent again, was here already; another one asks before it replaces', '#/datasets',
        async ({page, server}) => {
            const flowers = data('iris.csv').toString().split('\n').slice(1).join('\n');
            const button = page.waitForEvent('filechooser');
            await page.getByRole('button', {name: 'Choose files'}).click();
            await (await button).setFiles([asFile('flowers.csv', flowers, 'text/csv')]);
            const box = upload(page, 'flowers\\.csv');
            await box.getByText('5 columns, no header').waitFor();
            await box.getByRole('button', {name: 'Upload'}).click();
            await box.getByText('ready').waitFor();
            await box.getByText('150 rows, 5 columns, target c4').waitFor();
            await box.getByRole('button', {name: 'Dismiss the upload of flowers'}).click();
            const {id} = await named(server, 'flowers');

            await choose(page, asFile('flowers.csv', flowers));
            await box.getByText('There is one of this name (150 rows)').waitFor();
            await box.getByRole('button', {name: 'Upload'}).click();
            await box.getByText('it was here already').waitFor();
            assert.equal((await named(server, 'flowers')).id, id);
            await box.getByRole('button', {name: 'Dismiss the upload of flowers'}).click();

            await choose(page, asFile('flowers.csv', flowers.split('\n').slice(0, 120).join('\n')));
            await box.getByRole('button', {name: 'Upload'}).click();
            await box.locator('.field.invalid').getByRole('alert').waitFor();
            assert.equal((await named(server, 'flowers')).id, id);
            await box.getByRole('button', {name: 'Replace “flowers”'}).click();
            await box.getByText('120 rows, 5 columns').waitFor();
            const fresh = await named(server, 'flowers');
            assert.deepEqual([fresh.rows, fresh.id !== id], [120, true]);
        }, {allowed: /409/});

    stage.check('a broken file shows where it is broken', '#/datasets', async ({page, server}) => {
        await choose(page, asFile('broken.csv', 'age,weight\n31,70\n28,heavy\n44,81\n'));
        const box = upload(page, 'broken\\.csv');
        await box.getByText('How to read it').click();
        await box.getByLabel('Types').fill('weight:number');
        await box.getByRole('button', {name: 'Upload'}).click();
        await box.locator('.fault').getByText(/line 3, column 2 \("weight"\).*"heavy"/).waitFor();
        assert.equal((await box.locator('.faulty-line').innerText()).trim(), '3│ 28,heavy');
        assert.equal(await named(server, 'broken'), undefined);

        await box.getByLabel('Types').fill('');
        await box.getByRole('button', {name: 'Try again'}).click();
        await box.getByText('3 rows, 2 columns, target weight').waitFor();

        await choose(page, asFile('ragged.csv', 'a,b\n1,2\n3,4,5\n'));
        const ragged = upload(page, 'ragged\\.csv');
        await ragged.getByRole('button', {name: 'Upload'}).click();
        await ragged.locator('.fault').getByText('line 3, column 3').waitFor();
        assert.equal((await ragged.locator('.faulty-line').innerText()).trim(), '3│ 3,4,5');
        await ragged.getByRole('button', {name: 'Discard'}).click();
        assert.equal(await ragged.count(), 0);
        assert.equal(await named(server, 'ragged'), undefined);
    }, {allowed: /422/});

    stage.check('images and their labels become one dataset', '#/datasets', async ({page, server}) => {
        const {count, images, labels} = digitParts();
        await choose(page, asFile('train-labels-idx1-ubyte', labels), asFile('train-images-idx3-ubyte', images));
        const box = upload(page, 'train-images-idx3-ubyte and train-labels-idx1-ubyte');
        assert.equal(await box.getByLabel('Name', {exact: true}).inputValue(), 'train');
        await box.getByRole('button', {name: 'Upload'}).click();
        await box.getByText('ready').waitFor();
        const kept = await named(server, 'train');
        assert.deepEqual([kept.rows, kept.target.kind, kept.target.classes_count], [count, 'classes', 10]);
    });

    stage.check('two arrays of any name: their labels are told, swapped, and told apart', '#/datasets',
        async ({page, server}) => {
            const {count, images, labels} = digitParts();
            await choose(page, asFile('first.idx', labels), asFile('second.idx', images));
            await upload(page, 'first\\.idx').getByLabel('Labels are in').selectOption({label: 'second.idx'});
            await page.getByRole('button', {name: 'Swap rows and labels'}).click();
            const box = upload(page, 'second\\.idx and first\\.idx');
            await box.getByRole('button', {name: 'Two datasets'}).click();
            await upload(page, 'second\\.idx').getByLabel('Labels are in').selectOption({label: 'first.idx'});
            await box.getByLabel('Name', {exact: true}).fill('pair');
            await box.getByRole('button', {name: 'Upload'}).click();
            await box.getByText('ready').waitFor();
            assert.equal((await named(server, 'pair')).rows, count);
        });

    stage.check('the page of a dataset: its target, its columns, one of them', '#/datasets', async ({page, server}) => {
        const {id} = await named(server, 'heart');
        const summary = await server.api('GET', `v1/datasets/${id}/summary`);
        await page.getByRole('region', {name: 'Table of datasets'}).getByRole('link', {name: 'heart', exact: true}).click();
        await page.getByRole('heading', {level: 1, name: 'heart'}).waitFor();

        const target = page.getByRole('region', {name: 'Target'});
        for (const each of summary.target.classes)
            await target.getByRole('listitem').filter({hasText: each.value}).getByText(String(each.count)).first().waitFor();
        const table = page.getByRole('region', {name: 'Table of columns'});
        const names = () => table.locator('tbody button').allTextContents();
        assert.deepEqual(await names(), summary.columns.map(each => each.name));
        assert.equal(await table.locator('tbody tr:not(.space) svg.column-spark').count(), summary.columns.length);

        await table.getByRole('button', {name: 'f5', exact: true}).click();
        const detail = page.locator('.column-detail');
        const f5 = summary.columns.find(each => each.name === 'f5');
        await detail.getByRole('heading', {name: 'f5'}).waitFor();
        assert.equal(await detail.locator('svg.column-histogram rect:not(.hit)').count(),
            f5.histogram.counts.filter(each => each > 0).length);
        const [start] = await detail.locator('g').all();
        await start.hover();
        await detail.getByText(`${f5.histogram.counts[0]} rows`).waitFor();
        await page.reload();
        await detail.getByRole('heading', {name: 'f5'}).waitFor();
        await detail.getByRole('button', {name: 'Close the column'}).click();
        await until('the address forgets it', () => query(page).get('column') === null);

        await page.getByRole('searchbox', {name: 'Search columns'}).fill('f1');
        await until('fewer columns', async () => (await names()).join() === 'f1,f10,f11,f12');
    });

    stage.check('a dataset goes when a person says so twice', '#/datasets', async ({page, server}) => {
        await server.upload('short-lived', 'tests/data/heart_scale.csv', 'target=f1');
        await page.reload();
        await page.getByRole('button', {name: 'Delete short-lived'}).click();
        const dialog = page.getByRole('dialog', {name: 'Delete “short-lived”?'});
        await dialog.getByText('270 rows').waitFor();
        await page.keyboard.press('Escape');
        await dialog.waitFor({state: 'detached'});
        assert.ok(await named(server, 'short-lived'));

        await page.getByRole('button', {name: 'Delete short-lived'}).click();
        await dialog.getByRole('button', {name: 'Delete', exact: true}).click();
        await page.getByText('short-lived deleted').waitFor();
        await page.getByRole('link', {name: 'short-lived', exact: true}).waitFor({state: 'detached'});
        assert.equal(await named(server, 'short-lived'), undefined);
    });

    stage.check('what another one has deleted goes from an open page', '#/datasets', async ({page, open, server, state}) => {
        state.allowed = /404/;
        const row = page.getByRole('row').filter({hasText: 'elsewhere'});
        const put = async () => {
            await server.upload('elsewhere', 'tests/data/heart_scale.csv', 'target=label');
            return named(server, 'elsewhere');
        };
        const lookAgain = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
        let {id} = await put();
        await lookAgain();
        await row.waitFor();
        await server.api('DELETE', `v1/datasets/${id}`);
        await lookAgain();
        await row.waitFor({state: 'detached'});

        ({id} = await put());
        await open(`#/datasets/${id}`);
        await page.getByRole('button', {name: 'Delete'}).waitFor();
        await server.api('DELETE', `v1/datasets/${id}`);
        await page.getByRole('button', {name: 'Delete'}).click();
        await page.getByRole('dialog').getByRole('button', {name: 'Delete'}).click();
        await page.getByText('elsewhere was deleted already').waitFor();
        await until('the list', () => page.url().endsWith('#/datasets'));
    });

    stage.check('while a job uses it, it stays', '#/datasets', async ({page, server}) => {
        const job = await server.submit(longJob());
        try {
            await page.getByRole('button', {name: 'Delete digits'}).click();
            await page.getByRole('dialog').getByRole('button', {name: 'Delete', exact: true}).click();
            await page.getByText('“digits” is in use').waitFor();
            assert.ok(await named(server, 'digits'));
            assert.equal(await page.getByRole('link', {name: 'digits', exact: true}).count(), 1);
        } finally {
            await server.api('POST', `v1/jobs/${job}/cancel`);
            await server.ended(job);
        }
        await page.getByRole('button', {name: 'Delete digits'}).click();
        await page.getByRole('dialog').getByRole('button', {name: 'Delete', exact: true}).click();
        await page.getByText('digits deleted').waitFor();
    }, {allowed: /409/});
});
