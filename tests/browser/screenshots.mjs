// Pictures of every page, light and dark, on a desk and on a telephone, of a server with real data and
// real jobs: node screenshots.mjs DIR [housing.csv]
//
// With the California housing table (its target: median_house_value) there is a regression, too.
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {launch, watchedContext} from './browser.mjs';
import {digitsJob, heartJob, heartSearch, longJob, uploadDigits, uploadHeart} from './material.mjs';
import {Server} from './server.mjs';
import {settled, still} from './stage.mjs';

const [directory, housing] = process.argv.slice(2);
if (!directory) {
    console.error('usage: node screenshots.mjs DIR [housing.csv]');
    process.exit(2);
}
mkdirSync(directory, {recursive: true});

const server = new Server();
await server.start();
const chromium = await launch();
try {
    await Promise.all([uploadDigits(server), uploadHeart(server)]);
    const wide = {model: {hidden: [128, 64]}, train: {epochs: 60, batch_size: 64}};
    const jobs = {
        overfit: await server.run(digitsJob({name: 'digits, no penalty', labels: {penalty: 'none'}, ...wide})),
        l2: await server.run(digitsJob({name: 'digits, L2', labels: {penalty: 'l2'}, ...wide,
            regularization: {l2: 1e-3}})),
        dropout: await server.run(digitsJob({name: 'digits, dropout', labels: {penalty: 'dropout'}, ...wide,
            model: {hidden: [128, 64], dropout: 0.3}})),
        heart: await server.run(heartJob({name: 'heart, logistic', train: {epochs: 60}})),
        diverged: await server.run(digitsJob({name: 'digits, far too fast', optimizer: {lr: 1000}})),
        search: await server.run(heartSearch({tune: {l1: {min: 'auto', max: 'auto', count: 24}, warm: true}})),
        both: await server.run(heartSearch({name: 'heart: L1 and L2',
            tune: {l1: [0.05, 0.02, 0.01, 0.005, 0], l2: {min: 1e-3, max: 0.2, count: 10}}})),
        digits: await server.run(digitsJob({name: 'digits: how strong an L2?', data: {dataset: 'digits', test: 0.25},
            model: {hidden: [64]}, train: {epochs: 40}, tune: {l2: {min: 1e-6, max: 1e-1, count: 16}}})),
    };
    if (housing) {
        await server.upload('housing', housing, 'target=median_house_value');
        jobs.housing = await server.run({name: 'housing, prices', data: {dataset: 'housing'}, model: {hidden: [32]},
            regularization: {l2: 1e-5}, train: {epochs: 30, batch_size: 128}});
    }
    const runs = await server.submit(longJob({name: 'digits, training now'}));
    const compared = [jobs.overfit, jobs.l2, jobs.dropout].map(each => each.id).join(',');
    const pages = {
        jobs: 'jobs',
        new: 'new',
        compare: `compare?jobs=${compared}`,
        tuning: 'tuning',
        datasets: 'datasets',
        system: 'system',
        api: 'api',
        running: `jobs/${runs}`,
        dataset: `datasets/${jobs.heart.dataset.id}`,
        'search-path': `tuning/${jobs.search.id}`,
        'search-grid': `tuning/${jobs.both.id}`,
        'search-digits': `tuning/${jobs.digits.id}`,
        ...Object.fromEntries(['overfit', 'l2', 'heart', 'diverged', 'housing'].filter(each => jobs[each])
            .map(each => [`job-${each}`, `jobs/${jobs[each].id}`])),
    };
    for (const colorScheme of ['light', 'dark'])
        for (const width of [1440, 360]) {
            const {context, faults} = await watchedContext(chromium.browser,
                {colorScheme, viewport: {width, height: 900}});
            const page = await context.newPage();
            for (const [name, hash] of Object.entries(pages)) {
                await page.goto(`${server.url}#/${hash}`);
                await settled(page);
                await still(page);
                await page.screenshot({path: join(directory, `${name}-${colorScheme}-${width}.png`), fullPage: true});
            }
            await context.close();
            if (faults.length)
                console.error(`${colorScheme}, ${width} px: ${faults.join('\n')}`);
        }
    await server.api('POST', `v1/jobs/${runs}/cancel`);
    await server.ended(runs);
} finally {
    await chromium.close();
    await server.close();
}
