// Makes a module of the dashboard's TypeScript usable here: bundled by the esbuild that bundles the
// page (npm ci in clients/dashboard comes first).
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const dashboard = join(dirname(fileURLToPath(import.meta.url)), '../../clients/dashboard');
const {build} = createRequire(join(dashboard, 'package.json'))('esbuild');

// load("live/stream.ts"): its exports, from a bundle of its own.
export async function load(path) {
    const {outputFiles} = await build({
        entryPoints: [join(dashboard, 'src', path)],
        bundle: true,
        write: false,
        format: 'esm',
        jsx: 'automatic',
        jsxImportSource: 'preact',
        define: {EVENTS_WORKER: '"none"'},
    });
    return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
