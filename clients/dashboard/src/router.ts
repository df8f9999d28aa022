// Where the page is: everything that a link can say stands behind the #, so that one file serves
// all of them, under any prefix. "#/jobs/job_1?tab=layers" is {path: ["jobs", "job_1"], query}.
import {signal} from '@preact/signals';

export interface Place {
    path: string[];
    query: URLSearchParams;
}

function read(): Place {
    const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
    return {
        path: path.split('/').filter(Boolean).map(part => {
            try {
                return decodeURIComponent(part);
            } catch {
                return part;
            }
        }),
        query: new URLSearchParams(query),
    };
}

export const place = signal<Place>(read());

// A slider amends the place with every pixel; browsers refuse an address that changes so often. So
// the place changes at once and the address a moment later.
const CALM_MS = 200;
let timer: ReturnType<typeof setTimeout> | null = null; // the address is about to be written
let known = location.hash;

function settle(): void {
    if (timer)
        clearTimeout(timer);
    timer = null;
}

function write(): void {
    settle();
    if (location.hash !== known)
        return; // somebody went elsewhere: hashchange is on its way
    const {path, query} = place.peek();
    history.replaceState(null, '', href(path, Object.fromEntries(query)));
    known = location.hash;
}

addEventListener('hashchange', () => {
    settle();
    known = location.hash;
    place.value = read();
});
addEventListener('pagehide', () => timer && write());

type Query = Record<string, string | number | boolean | null | undefined>;

// href(["jobs", id], {tab: "layers"}); what is null, undefined, false or "" is left out.
export function href(path: string[], query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
        if (value !== null && value !== undefined && value !== false && value !== '')
            search.set(name, String(value));
    const text = search.toString();
    return '#/' + path.map(encodeURIComponent).join('/') + (text ? '?' + text : '');
}

export function go(path: string[], query: Query = {}): void {
    if (timer)
        write();
    location.hash = href(path, query);
}

// Changes query parameters of the present place, without a step in the history.
export function amend(query: Query): void {
    const {path, query: old} = place.peek();
    const text = href(path, {...Object.fromEntries(old), ...query});
    place.value = {path, query: new URLSearchParams(text.split(/\?(.*)/s)[1] ?? '')};
    if (timer)
        settle();
    else
        write();
    timer = setTimeout(write, CALM_MS);
}
