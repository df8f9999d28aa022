// The draft's data: a dataset from the list or dropped right here, what it holds, its target and its
// features.
import {useEffect, useRef, useState} from 'preact/hooks';
import {signal} from '@preact/signals';
import {href} from '../../router';
import {Fault} from '../../ui/basics';
import {percent, whole} from '../../ui/format';
import {Bars, Histogram} from '../datasets/bars';
import {ChooseFiles} from '../datasets/drop';
import {datasets, listed, readDataset, type Dataset} from '../datasets/store';
import {useSummary, type Summary} from '../datasets/summary';
import {take, uploads} from '../datasets/upload';
import {Uploads} from '../datasets/uploader';
import {remarks} from '../dataset';
import {noData} from './check';
import {Combo} from './combo';
import {Members, TextInput} from './control';
import {get, set, setAll} from './draft';
import {Frame, idOf, type ControlProps} from './frame';
import {isObject} from './json';

// The chosen dataset with its columns, of which the list knows nothing.
const chosen = signal<Dataset | null>(null);

function useChosen(): void {
    const name = get(['data', 'dataset']);
    const entry = listed(typeof name === 'string' ? name : null);
    const id = entry?.status === 'ready' ? entry.id : null;
    useEffect(() => {
        const stop = new AbortController();
        if (chosen.value?.id !== id)
            chosen.value = null;
        if (id)
            readDataset(id, stop.signal).then(read => (chosen.value = read), () => {});
        return () => stop.abort();
    }, [id]);
}

const names = (): string[] => chosen.value?.columns?.map(each => each.name) ?? [];

const options = () => (datasets.value ?? []).map(each => ({value: each.name, note: each.status === 'ready'
    ? `${whole(each.rows)} × ${whole(each.columns_count)}` : each.status}));

export function takeDataset(name: string): void {
    setAll([[['data', 'dataset'], name], [['data', 'inline'], undefined], [['data', 'target'], undefined],
        [['data', 'features'], undefined], [['data', 'weights'], undefined]]);
}

// What was dropped here is what is wanted, unless there is a dataset already.
function useArrivals(): void {
    const seen = useRef<Set<number> | null>(null);
    const done = uploads.value.filter(each => each.phase === 'done');
    useEffect(() => {
        if (seen.current && noData.peek()) {
            const fresh = done.find(each => !seen.current!.has(each.id));
            if (fresh)
                takeDataset(fresh.name);
        }
        seen.current = new Set(done.map(each => each.id));
    }, [done.length]);
}

export function DatasetField({of, path}: ControlProps) {
    useChosen();
    useArrivals();
    const value = get(path);
    if (get(['data', 'inline']) !== undefined && value === undefined)
        return <Frame of={of} path={path} group help=""><p class="soft">The rows stand in the job itself, see the JSON. <button type="button"
            class="small" onClick={() => set(['data', 'inline'], undefined)}>Choose a dataset instead</button></p></Frame>;
    return <Frame of={of} path={path} wide help="From the list, or drop a file anywhere on this page.">
        <div class="with-words">
            <Combo id={idOf(path)} value={typeof value === 'string' ? value : ''} options={options()}
                placeholder={datasets.value?.length ? 'choose, or type to search' : 'none yet: drop a file'}
                none="There are no datasets yet: drop a file on this page"
                onChange={name => (name ? takeDataset(name) : set(path, undefined))} />
            <ChooseFiles take={take}>Upload…</ChooseFiles>
        </div>
        <Uploads onUse={takeDataset} />
        <Brief />
    </Frame>;
}

export function OtherDatasetField({of, path}: ControlProps) {
    const value = get(path);
    return <Frame of={of} path={path}><Combo id={idOf(path)} value={typeof value === 'string' ? value : ''} options={options()}
        placeholder="choose, or type to search" onChange={name => set(path, name)} /></Frame>;
}

// Rows that are held back: a share of all, or a dataset of their own.
export function ShareField({of, path}: ControlProps) {
    const value = get(path);
    const number = of.oneOf?.find(each => each.type === 'number'), other = of.oneOf?.find(each => each.properties);
    const apart = isObject(value);
    return <Frame of={of} path={path} below={!apart}>
        {apart ? <Members of={other ?? {}} path={path} /> : <TextInput of={{...number, default: of.default}} path={path} />}
        {other && <label class="tick"><input type="checkbox" checked={apart} onChange={event =>
            set(path, event.currentTarget.checked ? {dataset: ''} : undefined)} /> a dataset of their own</label>}
    </Frame>;
}

// A column of the dataset, or any name: beyond the first thousand only the server knows.
export function TargetField({of, path}: ControlProps) {
    const value = get(path);
    const own = path[1] === 'target' ? chosen.value?.target?.name : undefined;
    return <Frame of={of} path={path}>
        {names().length ? <Combo id={idOf(path)} value={typeof value === 'string' ? value : ''}
            options={chosen.value!.columns!.map(each => ({value: each.name, note: each.type}))}
            placeholder={own ? `default: ${own}` : path[1] === 'target' ? 'choose a column' : 'default: none'}
            onChange={name => set(path, name || undefined)} /> : <TextInput of={of} path={path} />}
    </Frame>;
}

const LISTED = 300;

// All columns but the target, unless some are taken out.
export function FeaturesField({of, path}: ControlProps) {
    const [search, setSearch] = useState('');
    const value = get(path);
    const target = get(['data', 'target']) ?? chosen.value?.target?.name, weights = get(['data', 'weights']);
    const all = names().filter(each => each !== target && each !== weights);
    const whole1000 = (chosen.value?.columns_count ?? 0) > names().length;
    const taken = new Set<unknown>(Array.isArray(value) ? value : all);
    const put = (next: Set<unknown>) => set(path, all.every(each => next.has(each)) && !whole1000 ? undefined
        : [...all.filter(each => next.has(each)), ...[...taken].filter(each => next.has(each) && !all.includes(String(each))).map(String)]);
    const wanted = search.toLowerCase();
    const shown = all.filter(each => each.toLowerCase().includes(wanted)).slice(0, LISTED);
    return <Frame of={of} path={path} group wide>
        {all.length ? <details class="more-fold"><summary id={idOf(path)}>{Array.isArray(value)
            ? `${whole(value.length)} of ${whole(all.length)} columns` : `all ${whole(all.length)} columns`}: take some out</summary>
        <div class="list-tools">
            <input type="search" value={search} placeholder="Search" aria-label="Search features"
                onInput={event => setSearch(event.currentTarget.value)} />
            <button type="button" class="small" onClick={() => put(new Set([...taken, ...shown]))}>Take these</button>
            <button type="button" class="small" onClick={() => put(new Set([...taken].filter(each =>
                !shown.includes(String(each)))))}>Leave these out</button>
        </div>
        <div class="feature-list" tabIndex={0} role="group" aria-label="Features">{shown.map(each => <label key={each} class="tick">
            <input type="checkbox" checked={taken.has(each)} onChange={event => {
                const next = new Set(taken);
                if (event.currentTarget.checked)
                    next.add(each);
                else
                    next.delete(each);
                put(next);
            }} /> {each}</label>)}</div></details>
            : <p class="soft" id={idOf(path)}>{Array.isArray(value) ? `${whole(value.length)} columns, see the JSON`
                : 'all columns but the target and the weights'}</p>}
    </Frame>;
}

function TargetBrief({summary}: {summary: Summary}) {
    const own = summary.target, name = get(['data', 'target']) ?? own?.name;
    if (own && name === own.name && own.classes)
        return <><p><code>{own.name}</code>: {whole(own.classes_count)} classes</p><Bars of={own.classes} long={own.classes.length > 8} /></>;
    const column = summary.columns.find(each => each.name === name);
    if (!column)
        return <p>{name === undefined ? 'No target yet: choose a column.' : <><code>{String(name)}</code></>}</p>;
    return <><p><code>{column.name}</code>: {column.type}{column.distinct !== null && `, ${whole(column.distinct)} different values`}
        {column.missing > 0 && <span class="wrong">, missing in {whole(column.missing)} rows</span>}</p>
    {column.histogram ? <Histogram column={column} /> : column.top ? <Bars of={column.top}
        rest={{label: `${whole(column.other_values)} others`, count: column.other_count ?? 0}} /> : null}</>;
}

// The dataset's summary in short.
function Brief() {
    const name = get(['data', 'dataset']);
    const entry = listed(typeof name === 'string' ? name : null);
    const {summary, fault, slow} = useSummary(entry?.status === 'ready' ? entry.id : null);
    if (!entry)
        return null;
    if (entry.status !== 'ready')
        return <p class="soft" role="status">{entry.status === 'preparing' ? 'The server still prepares it; the job waits for it.'
            : 'One of its two parts is missing.'}</p>;
    const said = summary ? remarks(summary) : [];
    const missing = summary?.columns.filter(each => each.missing > 0).length ?? 0;
    return <div class="brief">
        <div>
            <p><b>{whole(entry.rows)}</b> rows × <b>{whole(entry.columns_count)}</b> columns <span class="soft">{entry.format}
                {entry.nonzeros !== undefined && `, sparse: ${percent(entry.nonzeros / Math.max(1, entry.rows
                    * (entry.columns_count ?? 1)), 1)} not zero`}{missing > 0 && `, ${whole(missing)} with missing values`}</span>{' '}
            <a href={href(['datasets', entry.id])}>all columns</a></p>
            {said.map(each => <p key={each} class="note small-note">{each}</p>)}
        </div>
        <div>{summary ? <TargetBrief summary={summary} /> : fault ? <Fault fault={fault} /> : <p class="soft" role="status">{slow
            ? 'The server looks at every value for the first time…' : 'Reading the summary…'}</p>}</div>
    </div>;
}
