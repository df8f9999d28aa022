// Uploads: they live outside the pages, so that they go on while a person looks at another one. A
// File goes to XMLHttpRequest as it is, which tells its progress and reads it piece by piece.
import {signal} from '@preact/signals';
import {locked, Problem, url, type Fault} from '../../api/client';
import {columnsOf, isLabels, isRows, nameOf, pairName, type Columns} from './guess';
import {readDataset, readList, type Dataset} from './store';

export interface Options {
    target: string;
    format: string;
    delimiter: string;
    header: string;
    types: string;
    missing: string;
    replace: boolean;
}

export type Phase = 'proposed' | 'sending' | 'reading' | 'preparing' | 'done' | 'failed';

export interface Upload {
    id: number;
    files: File[]; // two: rows and labels
    name: string;
    options: Options;
    columns: Columns | null; // a guess
    phase: Phase;
    sent: number;
    total: number;
    rate: number; // bytes a second, smoothed
    known: boolean; // the server had it already
    dataset: Dataset | null;
    fault: Problem | null;
    part: number; // which file is under way, or at fault
}

export const uploads = signal<Upload[]>([]);
const requests = new Map<number, XMLHttpRequest>();
let count = 0;

const NONE: Options = {target: '', format: '', delimiter: '', header: '', types: '', missing: '', replace: false};

export function change(id: number, values: Partial<Upload>): void {
    uploads.value = uploads.value.map(each => (each.id === id ? {...each, ...values} : each));
}

function propose(files: File[], name: string): Upload {
    const upload: Upload = {id: ++count, files, name, options: NONE, columns: null, phase: 'proposed', sent: 0,
        total: files.reduce((sum, file) => sum + file.size, 0), rate: 0, known: false, dataset: null, fault: null, part: 0};
    if (files.length === 1)
        void columnsOf(files[0]!).then(columns => change(upload.id, {columns}), () => {});
    return upload;
}

// Takes dropped files: images and labels find each other by their names, and two arrays alone are a
// pair as well.
export function take(list: Iterable<File>): Upload[] {
    const files = [...list].filter(file => file.name);
    const made: Upload[] = [];
    const left = new Set(files);
    for (const rows of files.filter(file => isRows(file.name))) {
        const stem = pairName(rows.name);
        const labels = [...left].find(file => isLabels(file.name) && pairName(file.name.replace(/labels?/i, 'images')
            .replace(/(^|[^a-z])y([^a-z]|$)/i, '$1x$2')) === stem)
            ?? (files.length === 2 ? files.find(file => file !== rows && isLabels(file.name)) : undefined);
        if (!labels || !left.has(labels))
            continue;
        left.delete(rows);
        left.delete(labels);
        made.push(propose([rows, labels], stem));
    }
    made.push(...[...left].map(file => propose([file], nameOf(file.name))));
    uploads.value = [...made, ...uploads.value];
    return made;
}

export function forget(id: number): void {
    requests.get(id)?.abort();
    requests.delete(id);
    uploads.value = uploads.value.filter(each => each.id !== id);
}

// One of two proposed files becomes the labels of the other.
export function pair(rows: Upload, labels: Upload): void {
    const files = [rows.files[0]!, labels.files[0]!];
    uploads.value = uploads.value.filter(each => each.id !== labels.id)
        .map(each => (each.id === rows.id ? {...propose(files, pairName(files[0]!.name)), id: rows.id} : each));
}

export function unpair(upload: Upload): void {
    uploads.value = uploads.value.flatMap(each => (each.id === upload.id
        ? each.files.map(file => propose([file], nameOf(file.name))) : [each]));
}

export const swap = (upload: Upload): void => change(upload.id, {files: [...upload.files].reverse()});

class Left extends Error {}

// Sends one file; the answer and its status.
function put(id: number, file: File, address: string, told: (sent: number) => void): Promise<[number, Dataset]> {
    return new Promise((done, fail) => {
        const request = new XMLHttpRequest();
        requests.set(id, request);
        request.open('PUT', address);
        request.setRequestHeader('Accept', 'application/json');
        // The browser's guess of a type says less than the bytes do.
        request.setRequestHeader('Content-Type', 'application/octet-stream');
        request.upload.onprogress = event => told(event.loaded);
        request.upload.onload = () => told(file.size);
        request.onabort = () => fail(new Left());
        request.onerror = () => fail(new Problem(0, 'unreachable', 'The connection ended',
            'The server went away, or the file changed on the disk while it was read. The same upload again is harmless.'));
        request.onload = () => {
            let body: Record<string, unknown> = {};
            try {
                body = JSON.parse(request.responseText) as Record<string, unknown>;
            } catch {
                // An answer of something between us and the server.
            }
            if (request.status === 401)
                locked.value = true;
            if (request.status >= 200 && request.status < 300)
                done([request.status, body as unknown as Dataset]);
            else
                fail(new Problem(request.status, String(body.code ?? ''), String(body.title
                    ?? `The server answered ${request.status}`), String(body.detail ?? ''), (body.errors as Fault[]) ?? []));
        };
        request.send(file);
    });
}

function query({options, files}: Upload): Record<string, string | null> {
    const said: Record<string, string | null> = {format: options.format || null, replace: options.replace ? 'true' : null};
    if (files.length === 1)
        for (const key of ['target', 'delimiter', 'header', 'types', 'missing'] as const)
            said[key] = options[key].trim() || null;
    return said;
}

const wait = (ms: number) => new Promise(done => setTimeout(done, ms));

// What takes longer than half a minute is prepared behind the answer.
async function untilReady(id: number, dataset: Dataset): Promise<Dataset> {
    while (dataset.status === 'preparing' && uploads.peek().some(each => each.id === id)) {
        await wait(1000);
        try {
            dataset = await readDataset(dataset.id);
        } catch (fault) {
            if (fault instanceof Problem && fault.status === 404)
                throw new Problem(422, 'invalid_data', 'The data cannot be read',
                    'The server took the name back after it had read the file; its log says where the fault is.');
            if (!(fault instanceof Problem) || fault.status !== 0)
                throw fault;
        }
    }
    return dataset;
}

export async function start(id: number): Promise<void> {
    const upload = uploads.peek().find(each => each.id === id);
    if (!upload || (upload.phase !== 'proposed' && upload.phase !== 'failed'))
        return;
    const address = `v1/datasets/${encodeURIComponent(upload.name)}`;
    let before = 0, at = performance.now(), marked = 0, rate = 0;
    change(id, {phase: 'sending', fault: null, sent: 0, rate: 0, part: 0});
    try {
        let status = 201, dataset: Dataset | null = null;
        for (const [part, file] of upload.files.entries()) {
            const base = before;
            const path = upload.files.length === 1 ? address : `${address}/${part ? 'y' : 'x'}`;
            change(id, {part, phase: 'sending'});
            [status, dataset] = await put(id, file, url(path, query(upload)), loaded => {
                const now = performance.now(), sent = base + loaded;
                if (now - at > 400 || loaded === file.size) {
                    const fresh = (sent - marked) / Math.max(.001, (now - at) / 1000);
                    rate = rate ? .7 * rate + .3 * fresh : fresh;
                    [at, marked] = [now, sent];
                    change(id, {sent, rate, phase: loaded === file.size ? 'reading' : 'sending'});
                }
            });
            before += file.size;
        }
        void readList();
        requests.delete(id);
        if (dataset!.status === 'preparing') {
            change(id, {phase: 'preparing', dataset});
            dataset = await untilReady(id, dataset!);
        }
        change(id, {phase: 'done', dataset, known: status === 200});
    } catch (fault) {
        if (fault instanceof Left)
            change(id, {phase: 'proposed', sent: 0, rate: 0});
        else
            change(id, {phase: 'failed', fault: fault instanceof Problem ? fault
                : new Problem(0, '', 'The upload failed', String((fault as Error).message))});
    }
    requests.delete(id);
    void readList();
}

export function cancel(id: number): void {
    requests.get(id)?.abort();
}

addEventListener('beforeunload', event => {
    if (requests.size)
        event.preventDefault();
});
