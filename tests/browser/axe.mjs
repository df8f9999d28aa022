// axe-core's opinion of a page as it stands. The script comes in by the debugger's way, which the
// content policy does not concern, so that the page is judged with its policy in force.
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {digitsJob, heartSearch, uploadDigits, uploadHeart} from './material.mjs';
import {settled, Stage} from './stage.mjs';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function violations(page) {
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', {expression: source});
    await session.detach();
    const found = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations'],
        rules: {'target-size': {enabled: true}}}));
    return found.violations.map(each =>
        `${each.id}: ${each.help}\n${each.nodes.slice(0, 5).map(node => `    ${node.html.slice(0, 200)}\n    ${
            node.failureSummary?.replace(/\n/g, ' ')}`).join('\n')}`);
}

export async function assertAccessible(page, where) {
    assert.deepEqual(await violations(page), [], where);
}

const ids = {};
// Pages, and what must be there before they are judged.
export const PAGES = {
    'jobs': 'tr.job',
    'new': 'fieldset.form',
    'new?dataset={dataset}': '.brief .count-bars',
    'compare': '.empty',
    'compare?jobs={digits},{other}': '.compare-table tbody tr + tr',
    'tuning': '.search-list',
    'datasets': '.datasets-table',
    'system': 'h1',
    'api': 'details.endpoint',
    'jobs/{digits}': '.u-over',
    'tuning/{search}': 'circle.point',
    'datasets/{dataset}': '.columns-box .column-spark',
    'datasets/{dataset}?column=c27': '.column-detail',
};

export const TABS = {
    'jobs/{digits}?tab=layers': '.histogram',
    'jobs/{digits}?tab=evaluation': 'table.confusion',
    'jobs/{digits}?tab=try': '.try canvas',
    'jobs/{digits}?tab=try&input=rows': '.try textarea',
    'jobs/{digits}?tab=spec': '#job-panel pre',
    'jobs/{digits}?tab=events': '.event .row-button',
    'jobs/{digits}?tab=model': '#job-panel .sha',
};

// Pages with real jobs in them, at one width, in light and dark.
export const accessible = (width, pages) => describe(`accessibility at ${width} px`, () => {
    const stage = new Stage({prepare: async server => {
        await Promise.all([uploadDigits(server), uploadHeart(server)]);
        const jobs = [digitsJob(), heartSearch(), digitsJob({name: '<img src=x onerror=alert(1)>'})];
        const ended = await Promise.all(jobs.map(each => server.run(each)));
        ids.digits = ended[0].id;
        ids.search = ended[1].id;
        ids.other = ended[2].id;
        ids.dataset = ended[0].dataset.id;
    }});

    for (const [hash, content] of Object.entries(pages)) {
        const filled = () => `#/${hash.replace(/{(\w+)}/g, (_, name) => ids[name])}`;
        stage.check(`#/${hash}`, filled, async ({page: tab}) => {
            await tab.locator(content).first().waitFor();
            for (const colorScheme of ['light', 'dark']) {
                await tab.emulateMedia({colorScheme});
                await settled(tab);
                await assertAccessible(tab, colorScheme);
            }
        }, {viewport: {width, height: 900}});
    }
});
