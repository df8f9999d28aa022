// The columns of a dataset. The server gives a thousand at once; of these only the rows in sight are
// in the document, so that the page scrolls as smoothly with a thousand as with ten.
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {amend, place} from '../../router';
import {Empty, Fault, Loading, Panel} from '../../ui/basics';
import {number, percent, whole} from '../../ui/format';
import {Bars, Histogram, Spark} from './bars';
import {PAGE, useSummary, type ColumnSummary, type Summary} from './summary';

const ROW = 42; // pixels, as datasets.css has it
const MORE = 12; // rows beyond the edge

export function Detail({column, rows, onClose}: {column: ColumnSummary; rows: number; onClose: () => void}) {
    const {quantiles} = column;
    const facts: [string, string][] = [['Type', column.type], ['Missing', column.missing
        ? `${whole(column.missing)} (${percent(column.missing / Math.max(1, rows), 1)})` : '0'],
    ['Distinct', column.distinct === null ? 'not counted' : whole(column.distinct)]];
    if (column.mean !== undefined && column.mean !== null)
        facts.push(['Mean', number(column.mean, 5)], ['Std', number(column.std, 5)]);
    return <Panel title={column.name} class="column-detail" aside={<button class="icon-button" aria-label="Close the column"
        onClick={onClose}>×</button>}>
        {column.histogram ? <Histogram column={column} /> : column.top?.length
            ? <Bars of={column.top} rest={{label: `${whole(column.other_values)} others`, count: column.other_count ?? 0}} />
            : <p class="soft">No row has a value.</p>}
        {column.constant && <p class="note">Constant: it has one value in every row and tells nothing.</p>}
        <h3>Figures</h3>
        <dl class="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
        {quantiles && <><h3>Quantiles</h3><dl class="facts">{Object.entries(quantiles).map(([name, value]) =>
            <div key={name}><dt>{name === 'p0' ? 'minimum' : name === 'p50' ? 'median' : name === 'p100' ? 'maximum'
                : `${name.slice(1)} %`}</dt><dd>{number(value, 5)}</dd></div>)}</dl></>}
    </Panel>;
}

const ORDERS: Record<string, [string, (a: ColumnSummary, b: ColumnSummary) => number]> = {
    '': ['As in the file', () => 0],
    name: ['By name', (a, b) => a.name.localeCompare(b.name, 'en', {numeric: true})],
    missing: ['Most missing first', (a, b) => b.missing - a.missing],
    distinct: ['Fewest values first', (a, b) => (a.distinct ?? Infinity) - (b.distinct ?? Infinity) || 0],
};

// The part of `count` rows that is in sight.
function useWindow(count: number) {
    const box = useRef<HTMLDivElement>(null);
    const [range, setRange] = useState<[number, number]>([0, 40]);
    const look = () => {
        const it = box.current;
        if (!it)
            return;
        const from = Math.max(0, Math.floor(it.scrollTop / ROW) - MORE);
        const to = Math.min(count, Math.ceil((it.scrollTop + it.clientHeight) / ROW) + MORE);
        setRange(old => (old[0] === from && old[1] === to ? old : [from, to]));
    };
    useLayoutEffect(look, [count]);
    useEffect(() => {
        addEventListener('resize', look);
        return () => removeEventListener('resize', look);
    });
    return {box, look, from: Math.min(range[0], count), to: Math.min(Math.max(range[1], range[0] + 20), count)};
}

function Row({column, k, rows, chosen, target}: {column: ColumnSummary; k: number; rows: number; chosen: boolean; target: boolean}) {
    const value = (each: number | null | undefined) => (each === undefined ? '' : number(each));
    return <tr aria-rowindex={k + 2} class={chosen ? 'chosen' : ''}>
        <td><button class="text-link" aria-pressed={chosen} title={column.name}
            onClick={() => amend({column: chosen ? null : column.name})}>{column.name}</button>
            {target && <span class="badge running">target</span>} {column.constant && <span class="badge warn">constant</span>}</td>
        <td>{column.type}</td>
        <td>{column.missing ? <><span class="share-meter" aria-hidden="true"><i
            style={{width: `${100 * column.missing / Math.max(1, rows)}%`}} /></span>{percent(column.missing / Math.max(1, rows), 1)}</>
            : <span class="soft">0</span>}</td>
        <td class="number">{column.distinct === null ? <span class="soft" title="Not counted: more than 1,000, or sparse">–</span>
            : whole(column.distinct)}</td>
        <td class="number">{value(column.min)}</td>
        <td class="number">{value(column.quantiles?.p50)}</td>
        <td class="number">{value(column.mean)}</td>
        <td class="number">{value(column.max)}</td>
        <td><Spark column={column} /></td>
    </tr>;
}

function Table({columns, summary, chosen}: {columns: ColumnSummary[]; summary: Summary; chosen: string | null}) {
    const {box, look, from, to} = useWindow(columns.length);
    return <div class="columns-box" ref={box} onScroll={look} tabIndex={0} role="region" aria-label="Table of columns">
        <table aria-rowcount={columns.length + 1}><thead><tr><th>Column</th><th>Type</th><th>Missing</th>
            <th class="number">Distinct</th><th class="number">Min</th><th class="number">Median</th><th class="number">Mean</th>
            <th class="number">Max</th><th>Values</th></tr></thead>
        <tbody>
            {from > 0 && <tr class="space" aria-hidden="true"><td colSpan={9} style={{height: `${from * ROW}px`}} /></tr>}
            {columns.slice(from, to).map((column, k) => <Row key={column.name} column={column} k={from + k} rows={summary.rows}
                chosen={column.name === chosen} target={column.name === summary.target?.name} />)}
            {to < columns.length && <tr class="space" aria-hidden="true"><td colSpan={9}
                style={{height: `${(columns.length - to) * ROW}px`}} /></tr>}
        </tbody></table>
    </div>;
}

export function Columns({id}: {id: string}) {
    const {query} = place.value;
    const page = Math.max(0, Number(query.get('page') ?? 0) || 0);
    const search = query.get('q') ?? '', order = query.get('order') ?? '';
    const chosen = query.get('column');
    const {summary, fault, slow} = useSummary(id, page ? `${page * PAGE}-${page * PAGE + PAGE - 1}` : '');
    const beyond = (summary?.columns_count ?? 0) > PAGE;
    // A name beyond this page is asked for by itself.
    const exactly = beyond && search && !summary!.columns.some(each => each.name.includes(search)) && !search.includes(',')
        ? search : null;
    const far = useSummary(exactly ? id : null, exactly ?? '');
    const lone = useSummary(chosen && summary && !summary.columns.some(each => each.name === chosen)
        && !chosen.includes(',') ? id : null, chosen ?? '');
    if (fault)
        return <Fault fault={fault} />;
    if (!summary)
        return slow ? <Panel title="Columns"><p role="status">The server looks at every value of the file for the first time. That takes
            about 5 s a gigabyte; later it is there at once.</p><progress aria-label="Making the summary" /></Panel>
            : <Loading what="columns" />;
    const wanted = search.toLowerCase();
    const found = summary.columns.filter(each => each.name.toLowerCase().includes(wanted));
    const columns = [...(found.length ? found : exactly && far.summary ? far.summary.columns : [])]
        .sort((ORDERS[order] ?? ORDERS['']!)[1]);
    const detail = chosen === null ? null : summary.columns.find(each => each.name === chosen)
        ?? lone.summary?.columns.find(each => each.name === chosen) ?? null;
    const pages = Math.ceil(summary.columns_count / PAGE);
    return <div class={`columns-layout ${detail ? 'with-detail' : ''}`}>
        <Panel title="Columns" aside={<>
            <input type="search" value={search} aria-label="Search columns" placeholder="Search columns"
                onInput={event => amend({q: event.currentTarget.value})} />
            <select value={order} aria-label="Order of the columns" onChange={event => amend({order: event.currentTarget.value})}>
                {Object.entries(ORDERS).map(([key, [name]]) => <option key={key} value={key}>{name}</option>)}</select>
        </>}>
            {beyond && <div class="column-pages list-tools">
                <button class="small" disabled={page === 0} onClick={() => amend({page: page - 1 || null})}>Previous</button>
                <span>Columns {whole(page * PAGE + 1)} to {whole(Math.min(summary.columns_count, (page + 1) * PAGE))} of {
                    whole(summary.columns_count)}</span>
                <button class="small" disabled={page >= pages - 1} onClick={() => amend({page: page + 1})}>Next</button>
                <span class="soft">The search is among these; a whole name is found anywhere.</span>
            </div>}
            {columns.length ? <Table key={`${page}`} columns={columns} summary={summary} chosen={chosen} />
                : exactly && !far.summary && !far.fault ? <Loading what="the column" />
                    : <Empty title="None fits"><p>No column {beyond && 'of these '}has “{search}” in its name.</p></Empty>}
        </Panel>
        {detail && <Detail column={detail} rows={summary.rows} onClose={() => amend({column: null})} />}
    </div>;
}
