// Chromium with a profile of its own, and pages that are watched: an error of a script, a complaint
// of the console, a breach of the content policy, or a request that leaves this machine fails the test
// in which it happens.
import {createServer} from 'node:http';
import {once} from 'node:events';
import {chromium} from 'playwright-core';

const ARGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

// The browser asks its maker for updates and the like, whatever the page is. What a page asks of the
// same hosts is seen in its context.
const MAKER = /^([a-z0-9-]+\.)*(google|googleapis|gvt1|gvt2|gstatic|chromium)\.(com|org)$/;

// Everything that is not for this machine goes to a proxy that refuses, and remembers: of the page and
// of its workers, which a context does not see.
async function trap() {
    const caught = [];
    const note = (method, url, host) => MAKER.test(host) || caught.push(`${method} ${url}`);
    const server = createServer((request, answer) => {
        note(request.method, request.url, request.headers.host);
        answer.writeHead(502).end();
    });
    server.on('connect', (request, socket) => {
        socket.on('error', () => {});
        note('CONNECT', request.url, request.url.replace(/:\d+$/, ''));
        socket.end('HTTP/1.1 502 No\r\n\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {caught, port: server.address().port, close: () => server.close()};
}

// While the server is away on purpose.
export const OUTAGE = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/;

export async function launch() {
    const net = await trap();
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        // By argument: playwright's own option would send loopback to the proxy as well.
        args: [...ARGS, `--proxy-server=http://127.0.0.1:${net.port}`,
            ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
    });
    return {
        browser,
        left: net.caught,
        async close() {
            await browser.close();
            net.close();
        },
    };
}

// A context in which every page is watched; `faults` is what was seen.
export async function watchedContext(browser, options = {}) {
    const faults = [];
    const context = await browser.newContext({viewport: {width: 1440, height: 900}, ...options});
    context.setDefaultTimeout(45_000);
    // What the browser may say in the console because a test wants it to happen: /404/.
    const state = {allowed: null};
    context.on('console', message => {
        const text = message.text();
        if (message.type() !== 'error' && message.type() !== 'warning')
            return;
        // A draft that is not valid yet is what a form is for; the browser logs any 422.
        const draft = /\b422\b/.test(text) && message.location().url.endsWith('/v1/jobs/validate');
        if (draft || state.allowed?.test(text))
            return;
        faults.push(`console ${message.type()}: ${text} (${message.location().url})`);
    });
    context.on('weberror', fault => faults.push(`script: ${fault.error().stack}`));
    context.on('request', request => {
        const {protocol, hostname} = new URL(request.url());
        if (/^(http|ws)/.test(protocol) && hostname !== '127.0.0.1')
            faults.push(`request to ${request.url()}`);
    });
    await context.exposeBinding('breachOfPolicy', (_, text) => faults.push(`content policy: ${text}`));
    await context.addInitScript(() => document.addEventListener('securitypolicyviolation', event =>
        window.breachOfPolicy(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`)));
    return {context, faults, state};
}
