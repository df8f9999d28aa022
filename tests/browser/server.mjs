// `ockham serve` of one's own: a free loopback port, a data directory that goes with it, ended by its
// process id. After kill() or stop(), start() goes on with the same directory on the same port.
import {spawn} from 'node:child_process';
import {mkdtempSync, openSync, closeSync, existsSync, readFileSync, rmSync} from 'node:fs';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function freePort() {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const {port} = probe.address();
    probe.close();
    await once(probe, 'close');
    return port;
}

// until(what, ask): asks again until the answer is truthy, which it returns.
export async function until(what, ask, seconds = 60) {
    const end = Date.now() + 1000 * seconds;
    for (;;) {
        const answer = await ask();
        if (answer)
            return answer;
        if (Date.now() > end)
            throw new Error(`not within ${seconds} s: ${what}`);
        await new Promise(done => setTimeout(done, 20));
    }
}

export class Server {
    constructor({token = '', args = []} = {}) {
        this.token = token;
        this.args = args;
        this.process = null;
        this.directory = mkdtempSync(join(tmpdir(), 'ockham-browser-'));
        this.log = `${this.directory}.log`;
        // A test program that dies must not leave a server behind.
        this.atExit = () => this.process?.kill('SIGKILL');
        process.on('exit', this.atExit);
    }

    get url() {
        return `http://127.0.0.1:${this.port}/`;
    }

    // Somebody may take a free port before the server does, and answer in its place.
    async start({port = this.port} = {}) {
        for (let k = 0; k < 5; k++) {
            this.port = port ?? await freePort();
            if (await this.launch(port !== null && port !== undefined))
                return this;
        }
        throw new Error('no port is free');
    }

    async launch(given) {
        const before = existsSync(this.log) ? readFileSync(this.log, 'utf8').length : 0;
        const said = () => readFileSync(this.log, 'utf8').slice(before);
        const log = openSync(this.log, 'a');
        this.process = spawn(process.env.OCKHAM ?? join(ROOT, 'build/release/ockham'),
            ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.directory, ...this.args],
            {stdio: ['ignore', log, log], env: {...process.env, OCKHAM_TOKEN: this.token}});
        closeSync(log);
        this.process.on('error', fault => (this.fault = fault));
        return await until('the server is ready', async () => {
            if (!given && this.process.exitCode !== null && said().includes('Address already in use'))
                return 'taken';
            if (this.fault || this.process.exitCode !== null)
                throw new Error(`serve ended: ${this.fault ?? said().slice(-2000)}`);
            return said().includes('listens on') && (await fetch(`${this.url}readyz`).catch(() => null))?.ok;
        }, 60) !== 'taken';
    }

    async end(signal) {
        const {process} = this;
        if (!process)
            return;
        if (process.exitCode === null && process.signalCode === null) {
            process.kill(signal);
            await once(process, 'exit');
        }
        this.process = null;
    }

    kill() {
        return this.end('SIGKILL');
    }

    stop() {
        return this.end('SIGTERM');
    }

    async close() {
        await this.stop();
        process.off('exit', this.atExit);
        rmSync(this.directory, {recursive: true, force: true});
        rmSync(this.log, {force: true});
    }

    // The answer's JSON; throws unless the status is 2xx.
    async api(method, path, body, headers = {}) {
        const raw = body instanceof Uint8Array;
        const answer = await fetch(this.url + path, {
            method,
            body: body === undefined || raw ? body : JSON.stringify(body),
            headers: {
                ...(body === undefined || raw ? {} : {'Content-Type': 'application/json'}),
                ...(this.token ? {Authorization: `Bearer ${this.token}`} : {}),
                ...headers,
            },
        });
        const text = await answer.text();
        if (!answer.ok)
            throw new Error(`${method} ${path}: ${answer.status} ${text}`);
        return text ? JSON.parse(text) : null;
    }

    // upload("digits", "tests/data/digits.csv.gz", "target=-1")
    async upload(name, file, query = '') {
        let bytes = readFileSync(file.startsWith('/') ? file : join(ROOT, file));
        if (file.endsWith('.gz'))
            bytes = gunzipSync(bytes);
        return this.api('PUT', `v1/datasets/${encodeURIComponent(name)}?${query}`, bytes);
    }

    async submit(spec) {
        return (await this.api('POST', 'v1/jobs', spec)).id;
    }

    job(id) {
        return this.api('GET', `v1/jobs/${id}`);
    }

    ended(id) {
        return until(`${id} has ended`, async () => {
            const job = await this.api('GET', `v1/jobs/${id}?wait=5`);
            return ['succeeded', 'failed', 'cancelled'].includes(job.status) && job;
        }, 240);
    }

    async run(spec) {
        return this.ended(await this.submit(spec));
    }
}
