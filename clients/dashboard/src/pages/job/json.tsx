// JSON as people read it: one line a key, lists of plain values on one line, long lists cut until
// somebody asks. What differs from `normal` is marked, by a sign as well as by colour.
import {useState} from 'preact/hooks';
import type {ComponentChildren} from 'preact';

const LONGEST = 24;

type Leaf = (path: string, value: unknown) => {title: string} | null;

const plain = (value: unknown): boolean => value === null || typeof value !== 'object';

function List({values}: {values: unknown[]}) {
    const [all, setAll] = useState(false);
    const cut = !all && values.length > LONGEST;
    const shown = cut ? values.slice(0, LONGEST - 4) : values;
    return <>[{shown.map((value, k) => <span key={k}>{k > 0 && ', '}<Value value={value} /></span>)}
        {cut && <>, … <button class="small" onClick={() => setAll(true)}>all {values.length.toLocaleString('en')}</button></>}]</>;
}

function Value({value}: {value: unknown}) {
    const kind = value === null ? 'null' : typeof value;
    return <span class={`json-${kind}`}>{JSON.stringify(value)}</span>;
}

function lines(value: unknown, path: string, depth: number, lead: ComponentChildren, tail: string, mark: Leaf): ComponentChildren[] {
    const indent = '  '.repeat(depth);
    const key = path || '/';
    if (plain(value) || (Array.isArray(value) && value.every(plain))) {
        const other = mark(path, value);
        return [<div key={key} class={`json-line ${other ? 'differs' : ''}`} title={other?.title}>
            <span class="sign">{other ? <><span aria-hidden="true">●</span><span class="hidden">{other.title}. </span></> : ' '}</span>
            {indent}{lead}{Array.isArray(value) ? <List values={value} /> : <Value value={value} />}{tail}</div>];
    }
    const list = Array.isArray(value);
    const entries = Object.entries(value as object);
    const shown = list ? entries.slice(0, 200) : entries;
    return [
        <div key={key} class="json-line"><span class="sign"> </span>{indent}{lead}{list ? '[' : '{'}
            {entries.length === 0 && (list ? ']' : '}') + tail}</div>,
        ...shown.flatMap(([name, each], k) => lines(each, `${path}/${name}`, depth + 1,
            list ? null : <><span class="json-key">{JSON.stringify(name)}</span>: </>, k < entries.length - 1 ? ',' : '', mark)),
        ...(shown.length < entries.length ? [<div key={`${key} rest`} class="json-line soft"><span class="sign"> </span>
            {indent}  … {(entries.length - shown.length).toLocaleString('en')} more</div>] : []),
        ...(entries.length ? [<div key={`${key} end`} class="json-line"><span class="sign"> </span>{indent}{list ? ']' : '}'}{tail}</div>] : []),
    ];
}

export function Json({value, mark = () => null, label}: {value: unknown; mark?: Leaf; label: string}) {
    return <pre class="json" tabIndex={0} role="group" aria-label={label}>{lines(value, '', 0, null, '', mark)}</pre>;
}
