// Turns a folder of files into a C file: node embed.mjs DIR FILE
//
// The table is server/http/assets.h's. Bytes are written as numbers, which every compiler takes;
// packed forms are made here, so that the server packs nothing.
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {createHash} from 'node:crypto';
import {extname, join} from 'node:path';
import {gzipSync} from 'node:zlib';

const types = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.json': 'application/json',
    '.webmanifest': 'application/manifest+json',
    '.txt': 'text/plain; charset=utf-8',
    '.svg': 'image/svg+xml; charset=utf-8',
    '.png': 'image/png',
    '.ico': 'image/x-icon',
    '.woff2': 'font/woff2',
};

function fail(sentence) {
    console.error(`embed.mjs: ${sentence}`);
    process.exit(1);
}

function array(name, bytes) {
    const lines = [];
    for (let i = 0; i < bytes.length; i += 32)
        lines.push('    ' + bytes.subarray(i, i + 32).join(',') + ',');
    return `static const unsigned char ${name}[] = {\n${lines.join('\n')}\n};\n`;
}

const [directory, file] = process.argv.slice(2);
if (!file)
    fail('usage: node embed.mjs DIR FILE');
const names = readdirSync(directory).sort();
if (!names.includes('index.html'))
    fail(`${directory} has no index.html`);

const arrays = [], rows = [];
names.forEach((name, i) => {
    const type = types[extname(name)];
    if (!type || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
        fail(`${name}: not a name or a type that the server knows`);
    const plain = readFileSync(join(directory, name));
    if (plain.length === 0)
        fail(`${name} is empty`);
    const gzip = gzipSync(plain, {level: 9});
    const smaller = gzip.length < plain.length * 0.9;
    const tag = createHash('sha256').update(plain).digest('hex').slice(0, 32);
    arrays.push(array(`plain_${i}`, plain));
    if (smaller)
        arrays.push(array(`gzip_${i}`, gzip));
    const packed = smaller ? `gzip_${i}, sizeof(gzip_${i})` : 'NULL, 0';
    rows.push(`    {"${name}", "${type}", "${tag}", plain_${i}, sizeof(plain_${i}), ${packed}},\n`);
});

writeFileSync(file, `/* Made by scripts/embed.mjs. */
#include "server/http/assets.h"

${arrays.join('\n')}
static const struct ock_asset files[] = {
${rows.join('')}};

const struct ock_asset *const ock_assets = files;
const size_t ock_asset_count = sizeof(files) / sizeof(files[0]);
`);
