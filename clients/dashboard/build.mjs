// Bundles the dashboard: node build.mjs --out DIR
//
// DIR gets index.html and the files that it needs, named by their content so that browsers may keep
// them for ever. Page and worker find each other by relative paths: the server may live behind a
// proxy's prefix.
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {createHash} from 'node:crypto';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src');
const outArgument = process.argv.indexOf('--out');
if (outArgument < 0 || !process.argv[outArgument + 1]) {
    console.error('usage: node build.mjs --out DIR');
    process.exit(2);
}
const out = resolve(process.argv[outArgument + 1]);

// bundle(entry, defines): {js, css} as bytes, of one entry file.
async function bundle(entry, define) {
    const result = await build({
        entryPoints: [join(source, entry)],
        outdir: out,
        bundle: true,
        minify: true,
        write: false,
        format: 'esm',
        target: ['es2021', 'chrome100', 'firefox100', 'safari15'],
        jsx: 'automatic',
        jsxImportSource: 'preact',
        legalComments: 'none',
        define,
        logLevel: 'warning',
    });
    const part = end => result.outputFiles.find(file => file.path.endsWith(end))?.contents;
    return {js: part('.js'), css: part('.css')};
}

function hashed(name, end, bytes) {
    return `${name}-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.${end}`;
}

await rm(out, {recursive: true, force: true});
await mkdir(out, {recursive: true});

const events = await bundle('live/worker.ts', {});
const eventsName = hashed('events', 'js', events.js);
const app = await bundle('main.tsx', {EVENTS_WORKER: JSON.stringify(`assets/${eventsName}`)});
const appName = hashed('app', 'js', app.js);
const styleName = hashed('app', 'css', app.css);
const icon = await readFile(join(source, 'icon.svg'));
const iconName = hashed('icon', 'svg', icon);
const page = (await readFile(join(source, 'index.html'), 'utf8'))
    .replace('{app}', `assets/${appName}`)
    .replace('{style}', `assets/${styleName}`)
    .replace('{icon}', `assets/${iconName}`);

await Promise.all([
    writeFile(join(out, eventsName), events.js),
    writeFile(join(out, appName), app.js),
    writeFile(join(out, styleName), app.css),
    writeFile(join(out, iconName), icon),
    writeFile(join(out, 'index.html'), page),
]);
