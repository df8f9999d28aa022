// Events in the browser: one connection for all tabs, and a server that dies and comes back.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {OUTAGE, watchedContext} from './browser.mjs';
import {heartSearch, uploadHeart} from './material.mjs';
import {settled, Stage} from './stage.mjs';

const badge = (page, text) => page.locator('.connection').filter({hasText: text}).waitFor();

describe('live', () => {
    const stage = new Stage({prepare: uploadHeart});

    stage.check('two tabs share one connection', '#/jobs', async ({page, context, open, server}) => {
        const subscribers = async () => (await server.api('GET', 'v1/system')).subscribers;
        await badge(page, 'live');
        assert.equal(await subscribers(), 1);
        const second = await context.newPage();
        await open('#/tuning', second);
        await badge(second, 'live');
        assert.equal(await subscribers(), 1);

        // The second tab goes on when the first, which opened the connection, closes.
        await page.close();
        const id = await server.submit(heartSearch({name: 'told to the tab that is left'}));
        await second.getByText('told to the tab that is left').first().waitFor();
        await server.ended(id);
        assert.equal(await subscribers(), 1);

        // Another profile is another reader.
        const other = await watchedContext(context.browser());
        const third = await other.context.newPage();
        await open('#/jobs', third);
        await badge(third, 'live');
        assert.equal(await subscribers(), 2);
        await other.context.close();
        assert.deepEqual(other.faults, []);
    });

    stage.check('a killed server: reconnecting, live again, and nothing missed', '#/tuning',
        async ({page, server, state}) => {
            await badge(page, 'live');
            const {port} = server;
            state.allowed = OUTAGE;
            await server.kill();
            await badge(page, 'reconnecting');

            // What happens while the page cannot hear it: the server lives at another port meanwhile.
            await server.start({port: null});
            assert.notEqual(server.port, port);
            await server.run(heartSearch({name: 'while nobody heard'}));
            assert.equal(await page.getByText('while nobody heard').count(), 0);
            await server.stop();
            await server.start({port});

            await badge(page, 'live');
            await page.getByText('while nobody heard').first().waitFor();
            await page.getByRole('row').filter({hasText: 'while nobody heard'}).getByText('succeeded').waitFor();
            assert.equal((await server.api('GET', 'v1/system')).subscribers, 1);
            state.allowed = null;
            await page.reload();
            await settled(page);
            await badge(page, 'live');
        });
});
