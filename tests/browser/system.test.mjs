// The page of the system and that of the interface, on a server that asks for its token.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {describe} from 'node:test';
import {longJob, uploadDigits} from './material.mjs';
import {until} from './server.mjs';
import {Stage} from './stage.mjs';

const TOKEN = 'a-token-of-forty-letters-just-for-the-test';

describe('system', () => {
    const stage = new Stage({prepare: uploadDigits});

    stage.check('figures as the server has them', '#/system', async ({page, server}) => {
        const told = await server.api('GET', 'v1/system');
        const load = page.getByRole('region', {name: 'Load'});
        await load.getByText(`0 of ${told.cores}`).waitFor();
        await page.getByRole('region', {name: 'Server'}).getByText(told.version, {exact: true}).waitFor();
        await page.getByRole('region', {name: 'Limits'}).getByText(told.limits.queue.toLocaleString('en')).waitFor();
        assert.equal(await page.getByRole('button', {name: 'Sign out'}).count(), 0);
        const id = await server.submit(longJob());
        await until('it runs', async () => (await server.api('GET', 'v1/system')).cores_used > 0);
        await load.getByText(/^[1-9]\d* of/).first().waitFor();
        await server.api('POST', `v1/jobs/${id}/cancel`);
        await load.getByText(`0 of ${told.cores}`).waitFor();
    });

    stage.check('the interface is that of openapi.json, and its lines work', '#/api', async ({page, open, server}) => {
        const {paths} = await server.api('GET', 'openapi.json');
        const methods = Object.values(paths).flatMap(each => Object.keys(each))
            .filter(each => ['get', 'put', 'post', 'patch', 'delete'].includes(each));
        assert.equal(await page.locator('details.endpoint').count(), methods.length);

        await page.getByRole('searchbox', {name: 'Search'}).fill('prometheus');
        assert.equal(await page.locator('details.endpoint').count(), 1);
        await open('#/api?q=system&open=getSystem');
        const line = await page.locator('#op-getSystem pre').innerText();
        const answer = execFileSync('sh', ['-c', `${line} -s`], {encoding: 'utf8'});
        assert.ok(JSON.parse(answer).cores > 0);
        await open('#/api');
        for (const each of await page.locator('.method.get').locator('xpath=ancestor::details').locator('pre').allTextContents())
            if (!each.includes('$') && !each.includes('/events'))
                execFileSync('sh', ['-c', `${each} -s --fail-with-body -o /dev/null`]);
    });
});

describe('signed in', () => {
    const stage = new Stage({token: TOKEN});

    stage.check('the token opens the page, and signing out closes it', '#/system', async ({page, server}) => {
        await page.getByRole('heading', {name: 'Sign in'}).waitFor();
        await page.getByLabel('Token').fill('wrong');
        await page.getByRole('button', {name: 'Sign in'}).click();
        await page.getByRole('alert').waitFor();
        await page.getByLabel('Token').fill(TOKEN);
        await page.getByRole('button', {name: 'Sign in'}).click();
        await page.getByRole('region', {name: 'Load'}).waitFor();
        await page.locator('.connection').filter({hasText: 'live'}).waitFor();
        assert.deepEqual(await page.evaluate(() => [document.cookie, JSON.stringify(localStorage).includes('token')]),
            ['', false]);
        await page.reload();
        await page.getByRole('button', {name: 'Sign out'}).click();
        await page.getByRole('heading', {name: 'Sign in'}).waitFor();
        await page.reload();
        await page.getByRole('heading', {name: 'Sign in'}).waitFor();
        assert.equal((await fetch(`${server.url}v1/jobs`)).status, 401);
    }, {allowed: /401/});

    stage.check('a link with the token behind the # opens it, and forgets it', () =>
        `#/signin?token=${encodeURIComponent(TOKEN)}`, async ({page}) => {
        await page.waitForFunction(() => location.hash === '#/jobs');
        await page.getByRole('heading', {name: 'Jobs', level: 1}).waitFor();
        assert.ok(!page.url().includes('token'));
    }, {allowed: /401/});
});
