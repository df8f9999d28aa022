// JSON with places: a reader that knows where each value stands in the text, so that a fault of the
// server's, told by its JSON pointer, shows at its line; and a writer whose lines look as a person
// would have set them.

export type Json = null | boolean | number | string | Json[] | {[key: string]: Json};
export type JsonObject = {[key: string]: Json};
export type Path = (string | number)[];

export const isObject = (value: unknown): value is JsonObject =>
    typeof value === 'object' && value !== null && !Array.isArray(value);

export const pointerOf = (path: Path): string =>
    path.map(part => '/' + String(part).replace(/~/g, '~0').replace(/\//g, '~1')).join('');

export const pathOf = (pointer: string): string[] => (pointer === '' ? []
    : pointer.slice(1).split('/').map(part => part.replace(/~1/g, '/').replace(/~0/g, '~')));

export interface ParseFault {
    offset: number;
    line: number; // from 1
    column: number;
    message: string;
}

export interface Parsed {
    value: Json | undefined;
    places: Map<string, number>; // pointer: where it begins; of a member, its key
    fault: ParseFault | null;
}

class Bad extends Error {
    constructor(readonly offset: number, message: string) {
        super(message);
    }
}

class Reader {
    at = 0;
    readonly places = new Map<string, number>();
    constructor(readonly text: string) {}

    space(): void {
        while (/[ \t\r\n]/.test(this.text[this.at] ?? ''))
            this.at++;
    }

    found(): string {
        const c = this.text[this.at];
        return c === undefined ? 'the end' : c === '\n' ? 'the end of the line' : `“${c}”`;
    }

    string(): string {
        const match = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
        match.lastIndex = this.at;
        const token = match.exec(this.text)?.[0];
        if (!token)
            throw new Bad(this.at, 'this text never ends, or has a sign that JSON does not know');
        this.at += token.length;
        return JSON.parse(token) as string;
    }

    members(path: string): JsonObject {
        const made: [string, Json][] = [];
        this.at++;
        this.space();
        if (this.text[this.at] === '}') {
            this.at++;
            return {};
        }
        for (;;) {
            this.space();
            if (this.text[this.at] !== '"')
                throw new Bad(this.at, `expected a key in double quotes but found ${this.found()}`);
            const begin = this.at, key = this.string();
            const pointer = path + pointerOf([key]);
            this.space();
            if (this.text[this.at] !== ':')
                throw new Bad(this.at, `expected “:” behind the key but found ${this.found()}`);
            this.at++;
            made.push([key, this.value(pointer)]);
            this.places.set(pointer, begin);
            this.space();
            const c = this.text[this.at++];
            if (c === '}')
                return Object.fromEntries(made);
            if (c !== ',') {
                this.at--;
                throw new Bad(this.at, `expected “,” or “}” but found ${this.found()}`);
            }
        }
    }

    items(path: string): Json[] {
        const made: Json[] = [];
        this.at++;
        this.space();
        if (this.text[this.at] === ']') {
            this.at++;
            return made;
        }
        for (;;) {
            made.push(this.value(`${path}/${made.length}`));
            this.space();
            const c = this.text[this.at++];
            if (c === ']')
                return made;
            if (c !== ',') {
                this.at--;
                throw new Bad(this.at, `expected “,” or “]” but found ${this.found()}`);
            }
        }
    }

    value(path: string): Json {
        this.space();
        this.places.set(path, this.at);
        const c = this.text[this.at];
        if (c === '{')
            return this.members(path);
        if (c === '[')
            return this.items(path);
        if (c === '"')
            return this.string();
        const match = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;
        match.lastIndex = this.at;
        const token = match.exec(this.text)?.[0];
        if (!token || /[\w.]/.test(this.text[this.at + token.length] ?? ''))
            throw new Bad(this.at, `expected a value but found ${this.found()}`);
        const value = JSON.parse(token) as Json;
        if (value === Infinity || value === -Infinity)
            throw new Bad(this.at, 'this number is too large');
        this.at += token.length;
        return value;
    }
}

export function lineAndColumn(text: string, offset: number): {line: number; column: number} {
    const before = text.slice(0, offset);
    return {line: before.split('\n').length, column: offset - before.lastIndexOf('\n')};
}

export function parse(text: string): Parsed {
    const reader = new Reader(text);
    try {
        const value = reader.value('');
        reader.space();
        if (reader.at < text.length)
            throw new Bad(reader.at, `the JSON ended before ${reader.found()}`);
        return {value, places: reader.places, fault: null};
    } catch (bad) {
        const offset = bad instanceof Bad ? bad.offset : text.length;
        const message = bad instanceof Bad ? bad.message : 'nested too deeply';
        return {value: undefined, places: reader.places, fault: {offset, ...lineAndColumn(text, offset), message}};
    }
}

// Where a pointer, or the nearest thing around it, stands.
export function placeOf(places: Map<string, number>, pointer: string): number {
    for (let each = pointer; ; each = each.slice(0, each.lastIndexOf('/'))) {
        const place = places.get(each);
        if (place !== undefined || each === '')
            return place ?? 0;
    }
}

const WIDTH = 64; // columns: what the page has room for

function flat(value: Json): string {
    if (Array.isArray(value))
        return `[${value.map(flat).join(', ')}]`;
    if (isObject(value))
        return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${flat(each)}`).join(', ')}}`;
    if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3)
        return value.toExponential(); // 1e-6: the zeros need not be counted
    return JSON.stringify(value);
}

// What fits into a line stands in one; the whole spec never does. `used`: what stands in front.
export function write(value: Json, indent = '', used = indent.length): string {
    const line = flat(value);
    if (line === '{}' || line === '[]' || typeof value !== 'object' || value === null || (indent && used + line.length < WIDTH))
        return line;
    const inner = indent + '  ';
    const parts = Array.isArray(value) ? value.map(each => inner + write(each, inner)) : Object.entries(value).map(([key, each]) => {
        const name = `${inner}${JSON.stringify(key)}: `;
        return name + write(each, inner, name.length);
    });
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    return `${open}\n${parts.join(',\n')}\n${indent}${close}`;
}

export function at(value: Json | undefined, path: Path): Json | undefined {
    let here: Json | undefined = value;
    for (const part of path)
        here = Array.isArray(here) ? here[Number(part)] : isObject(here) && Object.hasOwn(here, part) ? here[part] : undefined;
    return here;
}

// A copy with `to` at the path; undefined takes it out, and with it a part of the spec that is left
// empty. What is deeper stays: "early_stopping": {} means something.
export function put(value: Json | undefined, path: Path, to: Json | undefined, depth = 0): Json | undefined {
    const [part, ...rest] = path;
    if (part === undefined)
        return to;
    if (Array.isArray(value)) {
        const items = [...value], k = Number(part), next = put(items[k], rest, to, depth + 1);
        if (next === undefined)
            items.splice(k, 1);
        else
            items[k] = next;
        return items;
    }
    const members = new Map<string, Json>(isObject(value) ? Object.entries(value) : []);
    const next = put(members.get(String(part)), rest, to, depth + 1);
    if (next !== undefined)
        members.set(String(part), next);
    else
        members.delete(String(part));
    // Not by assignment: a key may be "__proto__".
    return depth === 1 && next === undefined && !members.size ? undefined : Object.fromEntries(members);
}
