// What a test file stands on: a server, a browser, and checks that get a watched page.
//
//     describe('frame', () => {
//         const stage = new Stage();
//         stage.check('says so', '#/nonsense', async ({page}) => { … });
//     });
import assert from 'node:assert/strict';
import {after, before, it} from 'node:test';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {launch, watchedContext} from './browser.mjs';
import {ROOT, Server} from './server.mjs';

const PICTURES = join(ROOT, 'build/logs/browser');

export class Stage {
    // prepare(server): uploads and jobs, before the first check.
    constructor({prepare = async () => {}, ...options} = {}) {
        before(async () => {
            this.server = new Server(options);
            await this.server.start();
            await prepare(this.server);
            this.chromium = await launch();
        });
        after(async () => {
            await this.chromium?.close();
            await this.server?.close();
        });
    }

    // A test with a context of its own; `page` shows `hash` (or what it returns) already. `allowed` is
    // what the console may say.
    check(name, hash, body, {allowed = null, ...options} = {}) {
        it(name, {timeout: 300_000}, async () => {
            const {context, faults, state} = await watchedContext(this.chromium.browser, options);
            state.allowed = allowed;
            const page = await context.newPage();
            const open = async (where, tab = page) => {
                await tab.goto(this.server.url + where);
                await settled(tab);
            };
            try {
                await open(typeof hash === 'function' ? hash() : hash);
                await body({page, context, open, state, faults, server: this.server});
                assert.deepEqual([...faults, ...this.chromium.left.splice(0)], []);
            } catch (fault) {
                mkdirSync(PICTURES, {recursive: true});
                const file = join(PICTURES, `${name.replace(/[^a-z0-9]+/gi, '-')}.png`);
                await page.evaluate(() => scrollTo(0, 0)).catch(() => {});
                await page.screenshot({path: file, fullPage: true}).catch(() => {});
                fault.message += `\n(seen besides: ${JSON.stringify(faults)}; picture: ${file})`;
                throw fault;
            } finally {
                await context.close();
            }
        });
    }
}

// The page has its heading and waits for nothing more.
export async function settled(page) {
    await page.locator('main :is(h1, .empty, .fault)').first().waitFor();
    await page.waitForFunction(() => ![...document.querySelectorAll('main [role="status"]')]
        .some(each => each.textContent.startsWith('Loading')));
}

// Nothing has changed for a while: for pictures only, since what trains is never still.
export async function still(page, quiet_ms = 400, seconds = 4) {
    await page.evaluate(([quiet, most]) => new Promise(done => {
        let timer = setTimeout(done, quiet);
        setTimeout(done, most);
        new MutationObserver(() => {
            clearTimeout(timer);
            timer = setTimeout(done, quiet);
        }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
    }), [quiet_ms, 1000 * seconds]);
}
