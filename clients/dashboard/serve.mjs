// For work on the dashboard: node serve.mjs [--server http://127.0.0.1:8080] [--port 8081]
//
// Serves a bundle that is made anew at each load of the page, and passes everything else on to a
// running server.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync} from 'node:fs';
import {createServer, request} from 'node:http';
import {tmpdir} from 'node:os';
import {basename, dirname, extname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const argument = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
};
const server = new URL(argument('--server', 'http://127.0.0.1:8080'));
const port = Number(argument('--port', '8081'));
const out = mkdtempSync(join(tmpdir(), 'ockham-dashboard-'));
const TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml'};

function pass(incoming, answer) {
    const headers = {...incoming.headers, host: server.host};
    if (headers.origin)
        headers.origin = server.origin;
    const onward = request(server, {method: incoming.method, path: incoming.url, headers}, reply => {
        answer.writeHead(reply.statusCode, reply.headers);
        reply.pipe(answer);
    });
    onward.on('error', fault => answer.writeHead(502).end(String(fault)));
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
}

function file(name, answer) {
    try {
        const bytes = readFileSync(join(out, basename(name)));
        answer.writeHead(200, {'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream'}).end(bytes);
    } catch {
        answer.writeHead(404).end();
    }
}

createServer((incoming, answer) => {
    if (incoming.url === '/') {
        try {
            execFileSync(process.execPath, [join(here, 'build.mjs'), '--out', out], {stdio: 'inherit'});
        } catch {
            answer.writeHead(500).end('The bundle could not be made; the terminal says why.');
            return;
        }
        file('index.html', answer);
    } else if (incoming.url.startsWith('/assets/')) {
        file(incoming.url, answer);
    } else {
        pass(incoming, answer);
    }
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}, for ${server.origin}`));
