// Requests to the server that this page came from. Paths are relative ("v1/jobs"), so that a
// proxy's prefix stays in front.
import {signal} from '@preact/signals';

// One fault of a problem (RFC 9457 with our extension).
export interface Fault {
    pointer?: string;
    code?: string;
    detail?: string;
    suggestion?: string;
    got?: unknown;
}

export class Problem extends Error {
    constructor(
        readonly status: number, // 0: the server could not be reached
        readonly code: string,
        readonly title: string,
        readonly detail: string,
        readonly errors: Fault[] = [],
        readonly requestId = '',
    ) {
        super(detail || title);
    }
}

// True as soon as a request was refused for want of a token: the page asks for one.
export const locked = signal(false);
let signIns = 0;

export function signedIn(): void {
    signIns++;
    locked.value = false;
}

export interface Options {
    query?: Record<string, string | number | boolean | null | undefined>;
    body?: unknown; // JSON, unless it is text or a Blob
    headers?: Record<string, string>;
    signal?: AbortSignal | undefined;
}

export function url(path: string, query: Options['query'] = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
        if (value !== null && value !== undefined)
            search.set(name, String(value));
    const text = search.toString();
    return text ? `${path}?${text}` : path;
}

export async function problemOf(answer: Response): Promise<Problem> {
    const text = await answer.text().catch(() => '');
    try {
        const it = JSON.parse(text) as Record<string, unknown>;
        return new Problem(answer.status, String(it.code ?? ''), String(it.title ?? ''),
            String(it.detail ?? ''), (it.errors as Fault[]) ?? [], String(it.request_id ?? ''));
    } catch {
        return new Problem(answer.status, '', `The server answered ${answer.status}`, '');
    }
}

// The answer, whatever its type; throws Problem unless its status is 2xx or 304.
export async function send(method: string, path: string, options: Options = {}): Promise<Response> {
    const {body} = options;
    const plain = body === undefined || typeof body === 'string' || body instanceof Blob;
    let answer: Response;
    const before = signIns;
    try {
        answer = await fetch(url(path, options.query), {
            method,
            headers: {
                Accept: 'application/json',
                ...(body === undefined ? {} : {'Content-Type': 'application/json'}),
                ...options.headers,
            },
            body: plain ? ((body as string | Blob | undefined) ?? null) : JSON.stringify(body),
            signal: options.signal ?? null,
            cache: 'no-store',
        });
    } catch (fault) {
        if ((fault as Error).name === 'AbortError')
            throw fault;
        throw new Problem(0, 'unreachable', 'The server does not answer', 'Trying again may help.');
    }
    if (answer.ok || answer.status === 304)
        return answer;
    // Who has signed in since this was asked may ask again: nothing was done.
    if (answer.status === 401 && before !== signIns)
        return send(method, path, options);
    if (answer.status === 401)
        locked.value = true;
    throw await problemOf(answer);
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
    const answer = await send(method, path, options);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const get = <T>(path: string, options: Options = {}): Promise<T> =>
    request<T>('GET', path, options);
