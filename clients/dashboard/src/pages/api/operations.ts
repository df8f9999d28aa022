// An OpenAPI document as a list of what one can ask.
import {quote} from '../../ui/curl';

interface Schema {
    type?: string;
    enum?: unknown[];
    minimum?: number;
    maximum?: number;
    default?: unknown;
}

interface Parameter {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema?: Schema;
}

interface Described {
    operationId: string;
    summary?: string;
    description?: string;
    parameters?: Parameter[];
    requestBody?: {content: Record<string, unknown>};
    responses: Record<string, {description?: string; content?: Record<string, unknown>}>;
}

export interface Document {
    paths: Record<string, Record<string, Described>>;
}

export interface Operation {
    id: string;
    method: string;
    path: string;
    group: string;
    summary: string;
    parameters: {name: string; in: string; required: boolean; type: string; text: string}[];
    body: string[];
    answers: {status: string; text: string; types: string[]}[];
    text: string; // what a search looks at
    curl: (base: string) => string;
}

const GROUPS = ['Datasets', 'Jobs', 'Events', 'Results of a job', 'The service'];
const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

function groupOf(path: string): string {
    if (path.startsWith('/v1/datasets'))
        return GROUPS[0]!;
    if (path.endsWith('/events'))
        return GROUPS[2]!;
    if (/^\/v1\/jobs\/\{id\}\/(metrics|chart\.svg|tuning|evaluation|layers|model|predict)/.test(path))
        return GROUPS[3]!;
    return path.startsWith('/v1/jobs') || path === '/v1/schema/job' ? GROUPS[1]! : GROUPS[4]!;
}

function typeText(schema: Schema = {}): string {
    if (schema.enum)
        return schema.enum.map(String).join(' | ');
    const range = schema.minimum !== undefined && schema.maximum !== undefined
        ? ` from ${schema.minimum} to ${schema.maximum}` : '';
    return (schema.type === 'string' ? '' : schema.type ?? '') + range;
}

// A line that works as it stands, once the ids are put in.
function curlOf(method: string, path: string, body: string[], streams: boolean): (base: string) => string {
    return base => {
        const address = base.replace(/\/$/, '') + path.replace(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`);
        const parts = ['curl'];
        if (streams)
            parts.push('-N');
        if (method === 'put')
            parts.push('-T FILE');
        else if (method !== 'get' && !(method === 'post' && body.length))
            parts.push(`-X ${method.toUpperCase()}`);
        parts.push(address.includes('$') ? `"${address}"` : quote(address));
        if (method !== 'put' && body.includes('application/json'))
            parts.push("-H 'Content-Type: application/json' -d @BODY.json");
        return parts.join(' ');
    };
}

export function operations(document: Document): Operation[] {
    const found: Operation[] = [];
    for (const [path, methods] of Object.entries(document.paths))
        for (const method of METHODS) {
            const it = methods[method];
            if (!it)
                continue;
            const body = Object.keys(it.requestBody?.content ?? {});
            const parameters = (it.parameters ?? []).map(each => ({name: each.name, in: each.in,
                required: each.required ?? false, type: typeText(each.schema), text: each.description ?? ''}));
            const answers = Object.entries(it.responses).map(([status, each]) =>
                ({status: status === 'default' ? 'else' : status, text: each.description ?? '',
                    types: Object.keys(each.content ?? {})})).sort((a, b) => (a.status < b.status ? -1 : 1));
            const summary = it.summary ?? it.description ?? '';
            found.push({
                id: it.operationId, method, path, group: groupOf(path), summary, parameters, body, answers,
                curl: curlOf(method, path, body, answers.some(each => each.types.includes('text/event-stream'))),
                text: [method, path, summary, it.operationId, ...parameters.flatMap(each => [each.name, each.text]),
                    ...answers.flatMap(each => each.types)].join(' ').toLowerCase(),
            });
        }
    return found;
}

export function groupsOf(of: Operation[]): [string, Operation[]][] {
    return GROUPS.map(title => [title, of.filter(each => each.group === title)] as [string, Operation[]])
        .filter(([, each]) => each.length);
}
