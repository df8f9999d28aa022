// All datasets, and where new ones come from: a file dropped anywhere on the page.
import {useEffect} from 'preact/hooks';
import './datasets.css';
import {Problem} from '../api/client';
import {amend, href, place} from '../router';
import {Empty, Fault, Loading, Panel} from '../ui/basics';
import {confirm} from '../ui/dialog';
import {ago, bytes, clock, whole} from '../ui/format';
import {complain, say} from '../ui/toast';
import {ChooseFiles, DropAnywhere} from './datasets/drop';
import {datasets, deleteDataset, listFault, readList, type Dataset} from './datasets/store';
import {take} from './datasets/upload';
import {Uploads} from './datasets/uploader';

export const STATUS: Record<Dataset['status'], {look: string; sign: string; help: string}> = {
    ready: {look: 'good', sign: '✓', help: 'Jobs can train on it'},
    preparing: {look: 'running', sign: '▶', help: 'The server reads the file; jobs on it wait'},
    incomplete: {look: 'warn', sign: '◐', help: 'One of two parts is here: rows or labels are to come'},
};

export function DatasetStatus({status}: {status: Dataset['status']}) {
    const {look, sign, help} = STATUS[status] ?? {look: '', sign: '', help: ''};
    return <span class={`badge ${look}`} title={help}><span aria-hidden="true">{sign}</span> {status}</span>;
}

// Asks and deletes; true when it is gone.
export async function removeDataset(dataset: Dataset): Promise<boolean> {
    if (!await confirm(`Delete “${dataset.name}”?`, `${whole(dataset.rows)} rows, ${bytes(dataset.bytes)}. Jobs that have `
        + 'ended keep their models and figures, but cannot be started again on it.', 'Delete'))
        return false;
    try {
        await deleteDataset(dataset.id);
        say(`${dataset.name} deleted`);
        return true;
    } catch (fault) {
        if (fault instanceof Problem && fault.status === 404) {
            say(`${dataset.name} was deleted already`);
            void readList();
            return true;
        }
        if (fault instanceof Problem && fault.status === 409)
            complain(new Problem(409, fault.code, `“${dataset.name}” is in use`,
                `${fault.detail}. Wait for its end, or cancel it.`));
        else
            complain(fault);
        return false;
    }
}

function Row({dataset}: {dataset: Dataset}) {
    const {id, name, target} = dataset;
    const ready = dataset.status === 'ready';
    return <tr>
        <td class="dataset-name"><a href={href(['datasets', id])}>{name}</a></td>
        <td><DatasetStatus status={dataset.status} /></td>
        <td class="number">{ready ? whole(dataset.rows) : '–'}</td>
        <td class="number">{whole(dataset.columns_count)}</td>
        <td>{dataset.format ?? '–'}</td>
        <td>{target ? <><code>{target.name}</code> <span class="soft">{target.kind === 'classes'
            ? `${whole(target.classes_count)} classes` : 'number'}</span></> : '–'}</td>
        <td class="number">{bytes(dataset.bytes)}</td>
        <td title={clock(dataset.created_at)}>{ago(dataset.created_at)}</td>
        <td><div class="buttons end">
            {ready && <a class="button small" href={href(['new'], {dataset: id})}>Train<span class="hidden"> on {name}</span></a>}
            <button class="small danger" aria-label={`Delete ${name}`} onClick={() => void removeDataset(dataset)}>Delete</button>
        </div></td>
    </tr>;
}

export function DatasetsPage() {
    const all = datasets.value;
    useEffect(() => void readList(), []);
    const search = place.value.query.get('q') ?? '';
    const wanted = search.toLowerCase();
    const shown = all?.filter(each => [each.name, each.id, each.format ?? '', each.target?.name ?? '']
        .some(text => text.toLowerCase().includes(wanted))) ?? [];
    const empty = all !== null && !all.length;
    return <>
        <div class="title-row"><h1>Datasets</h1>{all !== null && all.length > 0 && <span class="soft">{whole(all.length)}
            {all.length === 1 ? ' dataset' : ' datasets'}, {bytes(all.reduce((sum, each) => sum + each.bytes, 0))}</span>}</div>
        <DropAnywhere take={take} what="Drop: it becomes a dataset" />
        <div class={`dropzone ${empty ? 'big' : ''}`}>
            <p>{empty && <><strong>No datasets yet.</strong><br /></>}Drop files anywhere on this page: CSV, TSV, svmlight,
                NPY, or IDX images and their labels; gzip and zstd as they are.</p>
            <ChooseFiles take={take} class={empty ? 'primary' : ''}>Choose files</ChooseFiles>
        </div>
        <Uploads />
        {listFault.value && <Fault fault={listFault.value} />}
        {all === null && !listFault.value && <Loading what="datasets" />}
        {all !== null && all.length > 0 && <Panel title="All datasets" aside={<input type="search" value={search}
            aria-label="Search datasets" placeholder="Search" onInput={event => amend({q: event.currentTarget.value})} />}>
            {shown.length ? <div class="scroll" tabIndex={0} role="region" aria-label="Table of datasets">
                <table class="datasets-table"><thead><tr><th>Name</th><th>Status</th>
                    <th class="number">Rows</th><th class="number">Columns</th><th>Format</th><th>Target</th>
                    <th class="number">Size</th><th>Created</th><th><span class="hidden">Actions</span></th></tr></thead>
                <tbody>{shown.map(each => <Row key={each.id} dataset={each} />)}</tbody></table></div>
                : <Empty title="None fits"><p>No dataset has “{search}” in its name, format or target.</p></Empty>}
        </Panel>}
    </>;
}
