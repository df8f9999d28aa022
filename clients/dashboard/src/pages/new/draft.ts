// The spec that is being written. Its text is the truth that is sent; the spec is what the text says.
// The form changes the spec, which writes the text anew; typing changes the text, and the spec when
// it parses. The draft lives with the tab: it survives a reload and a trip to other pages.
import {computed, signal} from '@preact/signals';
import {at, isObject, parse, put, write, type Json, type JsonObject, type ParseFault, type Path} from './json';

const KEY = 'ockham.draft', ORIGIN = 'ockham.draft.origin';

// The order in which the parts of a spec are told; others follow.
const ORDER = ['name', 'labels', 'data', 'model', 'loss', 'regularization', 'optimizer', 'train', 'tune'];

function stored(key: string): string {
    try {
        return sessionStorage.getItem(key) ?? '';
    } catch {
        return '';
    }
}

function store(key: string, value: string): void {
    try {
        sessionStorage.setItem(key, value);
    } catch {
        // Too large, or nothing is kept here: the draft ends with the page.
    }
}

export const EMPTY = '{}';
export const text = signal(stored(KEY) || EMPTY);
export const origin = signal(stored(ORIGIN)); // "job_…": of which job this is a copy
export const before = signal<string | null>(null); // what another start has put aside

const parsed = computed(() => parse(text.value));
export const places = computed(() => parsed.value.places);
export const parseFault = computed<ParseFault | null>(() => parsed.value.fault
    ?? (isObject(parsed.value.value) ? null : {offset: 0, line: 1, column: 1, message: 'a job spec is a JSON object: {…}'}));

// The last spec that could be read.
let last: JsonObject = {};
export const spec = computed<JsonObject>(() => {
    const {value} = parsed.value;
    if (isObject(value))
        last = value;
    return last;
});

export function setText(next: string): void {
    text.value = next;
    store(KEY, next);
}

function ordered(value: JsonObject): JsonObject {
    const place = (key: string) => (ORDER.indexOf(key) + 1 || ORDER.length + 1);
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => place(a) - place(b)));
}

export const written = (value: JsonObject): string => write(ordered(value));

// What stands at the path; undefined: nothing, so the default.
export const get = (path: Path): Json | undefined => at(spec.value, path);

export function set(path: Path, value: Json | undefined): void {
    setText(written((put(spec.peek(), path, value) ?? {}) as JsonObject));
}

// Several changes as one.
export function setAll(changes: [Path, Json | undefined][]): void {
    setText(written(changes.reduce((value, [path, to]) => (put(value, path, to) ?? {}) as JsonObject, spec.peek())));
}

export function rename(path: Path, name: string): void {
    const parent = path.slice(0, -1), key = String(path[path.length - 1]);
    const members = at(spec.peek(), parent);
    if (isObject(members))
        set(parent, Object.fromEntries(Object.entries(members).map(([each, value]) => [each === key ? name : each, value])));
}

// Another beginning; what stood here can be had back.
export function begin(next: string, from = ''): void {
    const old = text.peek();
    before.value = old !== next && old.trim() !== EMPTY ? old : null;
    origin.value = from;
    store(ORIGIN, from);
    setText(next);
}

export function takeBack(): void {
    const old = before.peek();
    if (old === null)
        return;
    before.value = null;
    origin.value = '';
    store(ORIGIN, '');
    setText(old);
}
