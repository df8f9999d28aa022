// What all pages share: it loads by itself, keys lead everywhere, colours are kept, wrong links say so.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {digitsJob, uploadDigits} from './material.mjs';
import {until} from './server.mjs';
import {settled, Stage} from './stage.mjs';

const PAGES = ['Jobs', 'New job', 'Compare', 'Tuning', 'Datasets', 'System', 'API'];

describe('frame', () => {
    const stage = new Stage({prepare: async server => {
        await uploadDigits(server);
        await server.run(digitsJob());
    }});

    stage.check('the page comes with its policy, and from here alone', '', async ({page, server}) => {
        const answer = await fetch(server.url, {headers: {Accept: 'text/html'}});
        const policy = answer.headers.get('content-security-policy');
        for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"])
            assert.ok(policy.includes(part), policy);
        assert.equal(await page.title(), 'Jobs · Ockham');
        await page.getByRole('status').filter({hasText: 'live'}).waitFor();
        const addresses = await page.evaluate(() => performance.getEntriesByType('resource').map(each => each.name));
        assert.ok(addresses.length >= 2, addresses.join());
        for (const each of addresses)
            assert.ok(each.startsWith(server.url), each);
    });

    stage.check('the watch over policy and network sees a breach', '', async ({page, faults}) => {
        await page.evaluate(() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
            const picture = document.createElement('img');
            picture.src = 'http://ockham.invalid/pixel';
            document.body.append(picture);
        });
        await until('both are seen', () => faults.filter(each => each.startsWith('content policy')).length >= 2);
        assert.equal(await page.evaluate(() => window.ran), undefined);
        faults.length = 0;
    });

    stage.check('all pages open by the keyboard', '#/jobs', async ({page}) => {
        await page.keyboard.press('Tab');
        assert.equal(await page.evaluate(() => document.activeElement.textContent), 'To the content');
        await page.keyboard.press('Enter');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
        for (const title of PAGES.slice(1)) {
            const link = page.getByRole('navigation', {name: 'Pages'}).getByRole('link', {name: title, exact: true});
            await page.locator('a.brand').focus();
            for (let presses = 0; presses <= PAGES.length; presses++) {
                if (await link.evaluate(each => each === document.activeElement))
                    break;
                await page.keyboard.press('Tab');
            }
            await page.keyboard.press('Enter');
            await page.waitForFunction(name => document.title === `${name} · Ockham`, title);
            assert.equal(await link.getAttribute('aria-current'), 'page');
            await page.waitForFunction(() => document.activeElement.id === 'main' ||
                document.getElementById('main').contains(document.activeElement));
            await settled(page);
        }
        await page.goBack();
        await page.waitForFunction(() => document.title === 'System · Ockham');
    });

    stage.check('a choice of colours outlives the page', '#/jobs', async ({page}) => {
        const look = () => page.evaluate(() => document.documentElement.dataset.theme);
        assert.equal(await look(), 'light');
        await page.emulateMedia({colorScheme: 'dark'});
        await until('the page follows the system', async () => await look() === 'dark');
        await page.getByRole('button', {name: 'Colours: system'}).click();
        assert.equal(await look(), 'light');
        await page.reload();
        await settled(page);
        assert.equal(await look(), 'light');
        await page.getByRole('button', {name: 'Colours: light'}).click();
        await page.emulateMedia({colorScheme: 'light'});
        assert.equal(await look(), 'dark');
        await page.getByRole('button', {name: 'Colours: dark'}).click();
        assert.equal(await look(), 'light');
    });

    stage.check('a wrong link says so', '#/nonsense', async ({page}) => {
        await page.getByRole('heading', {name: 'There is no such page'}).waitFor();
        await page.getByRole('link', {name: 'All jobs'}).click();
        await page.getByRole('heading', {name: 'Jobs', level: 1}).waitFor();
    });

    for (const width of [320, 360, 720])
        stage.check(`no page is wider than ${width} px`, '#/jobs', async ({page, open}) => {
            for (const each of ['jobs', 'new', 'compare', 'tuning', 'datasets', 'system', 'api']) {
                await open(`#/${each}`);
                const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
                assert.ok(over <= 0, `${each}: ${over} px too wide`);
            }
        }, {viewport: {width, height: 800}});
});
