// Where the keyboard is after something has gone: a dialog, a row, the form to sign in.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {heartJob, uploadHeart} from './material.mjs';
import {Stage} from './stage.mjs';

const focused = (page, selector) => page.locator(`${selector}:focus`).waitFor();

describe('the keyboard', () => {
    const stage = new Stage({token: 'a-token-of-some-length', prepare: async server => {
        await uploadHeart(server);
        for (const name of ['first', 'second', 'third'])
            await server.run(heartJob({name, train: {epochs: 3}}));
    }});
    const signIn = () => `#/signin?token=${encodeURIComponent(stage.server.token)}`;

    stage.check('goes on in the page after signing in', '#/jobs', async ({page, server}) => {
        await page.locator('input[name="token"]').fill(server.token);
        await page.keyboard.press('Enter');
        await page.locator('tr.job').first().waitFor();
        await focused(page, 'main');
    }, {allowed: /401/});

    stage.check('comes back from a dialog, and stays in the table when a row goes', signIn, async ({page}) => {
        const row = name => page.locator('tr.job', {hasText: name});
        await row('second').focus();
        // A row is one stop of Tab's; arrows lead to its parts.
        const menu = row('second').getByRole('button', {name: 'More for second'});
        for (let k = 0; k < 5 && !await menu.evaluate(it => it === document.activeElement); k++)
            await page.keyboard.press('ArrowRight');
        for (const [answer, stays] of [['Keep', true], ['Delete', false]]) {
            await page.keyboard.press('Enter');
            await focused(page, '[role="menuitem"]'); // its first one, by itself
            await page.getByRole('menuitem', {name: 'Delete'}).focus();
            await page.keyboard.press('Enter');
            await focused(page, 'dialog[open] button');
            await page.locator('dialog').getByRole('button', {name: answer}).focus();
            await page.keyboard.press('Enter');
            await page.locator('dialog').waitFor({state: 'detached'});
            if (stays)
                assert.ok(await menu.evaluate(it => it === document.activeElement));
            else
                await row('second').waitFor({state: 'detached'});
        }
        await focused(page, 'tr.job');
    }, {allowed: /401/});
});
