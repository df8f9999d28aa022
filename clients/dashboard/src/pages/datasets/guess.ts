// What can be said of a file before it is sent, from its name and its first 64 KiB: a name for the
// dataset, and for a CSV its columns. A guess only: the server reads the whole file and decides.

const HEAD = 64 * 1024;
const NAME = /^(?!ds_|job_)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const validName = (name: string): boolean => NAME.test(name);

// "My table (1).csv.gz" is "My-table-1".
export function nameOf(file: string): string {
    const bare = file.replace(/(\.(csv|tsv|txt|data|npy|svm|svmlight|libsvm|gz|zst))+$/i, '')
        .normalize('NFKD').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|[-.]+$/g, '').slice(0, 64);
    return validName(bare) ? bare : validName(`data-${bare}`.slice(0, 64)) && bare ? `data-${bare}`.slice(0, 64) : 'data';
}

// What two files of one dataset are called: images and labels, x and y.
const ROWS = /(^|[^a-z])(images?|data|features?|x)([^a-z]|$)/i;
const LABELS = /(^|[^a-z])(labels?|targets?|y)([^a-z]|$)/i;

const isArray = (name: string): boolean => /(\.npy|idx\d-ubyte|\.idx\d?)(\.gz|\.zst)?$/i.test(name);
export const isLabels = (name: string): boolean => LABELS.test(name) && isArray(name);
export const isRows = (name: string): boolean => ROWS.test(name) && isArray(name) && !isLabels(name);

// The common name of a pair: "train-images-idx3-ubyte.gz" is "train".
export function pairName(rows: string): string {
    return nameOf(rows.replace(/(-idx\d-ubyte|\.idx\d?)?(\.npy)?(\.gz|\.zst)?$/i, '').replace(ROWS, '$1').replace(/[-_.]+$/, ''));
}

export interface Columns {
    names: string[];
    header: boolean;
    delimiter: string;
}

export const isPacked = (bytes: Uint8Array): boolean =>
    (bytes[0] === 0x1f && bytes[1] === 0x8b) || (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f);

function split(line: string, delimiter: string): string[] {
    const fields: string[] = [];
    let field = '', quoted = false;
    for (let k = 0; k < line.length; k++) {
        const c = line[k]!;
        if (quoted && c === '"' && line[k + 1] === '"') {
            field += '"';
            k++;
        } else if (c === '"' && (quoted || field.trim() === '')) {
            quoted = !quoted;
        } else if (c === delimiter && !quoted) {
            fields.push(field.trim());
            field = '';
        } else {
            field += c;
        }
    }
    fields.push(field.trim());
    return fields;
}

const isNumber = (text: string): boolean => text !== '' && Number.isFinite(Number(text));

// The columns of a text file; null: packed, binary, svmlight, or not a table.
export async function columnsOf(file: Blob): Promise<Columns | null> {
    const bytes = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
    if (isPacked(bytes) || bytes.includes(0))
        return null;
    const text = new TextDecoder().decode(bytes).replace(/^\uFEFF/, '');
    const lines = text.split(/\r\n|\n|\r/).filter(line => line.trim() !== '');
    const [first, second] = lines;
    if (first === undefined || second === undefined || lines.slice(0, 5).some(line => /^\S+( +\d+:\S+)+ *(#.*)?$/.test(line)))
        return null;
    let best: string[] = [], delimiter = ',';
    for (const each of [',', ';', '\t', '|']) {
        const fields = split(first, each);
        if (fields.length > best.length && split(second, each).length === fields.length)
            [best, delimiter] = [fields, each];
    }
    if (best.length < 2)
        return null;
    const below = split(second, delimiter);
    const header = !best.some(isNumber) && new Set(best).size === best.length
        && (below.some(isNumber) || !best.some(field => field === ''));
    return {names: header ? best : best.map((_, k) => `c${k}`), header, delimiter};
}

// The column that the server takes where none is named.
export function defaultTarget(names: string[]): string {
    const called = names.filter(name => ['target', 'label', 'class', 'y'].includes(name));
    return called.length === 1 ? called[0]! : names[names.length - 1]!;
}

// Line n (from 1) of a file that is not packed, if it begins within the first MiB.
export async function lineOf(file: Blob, n: number): Promise<string | null> {
    const bytes = new Uint8Array(await file.slice(0, 1024 * 1024).arrayBuffer());
    if (isPacked(bytes))
        return null;
    const line = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/)[n - 1];
    return line === undefined ? null : line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
