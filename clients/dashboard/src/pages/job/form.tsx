// A row as a form: a field for each column that the model takes. An empty field is a missing value.
import {useEffect, useState} from 'preact/hooks';
import {Problem, type Fault} from '../../api/client';
import {number} from '../../ui/format';
import type {Column} from './columns';

export type Row = Record<string, string>;

// The row as the server takes it: numbers as numbers, holes left out.
export function rowOf(columns: Column[], row: Row): Record<string, unknown> {
    return Object.fromEntries(columns.flatMap(column => {
        const text = row[column.name] ?? '';
        if (text === '')
            return [];
        const value = Number(text);
        const isNumber = column.kind === 'number' && text.trim() !== '' && Number.isFinite(value);
        return [[column.name, isNumber ? value : text]];
    }));
}

const empty = (columns: Column[]): Row => Object.fromEntries(columns.map(each => [each.name, '']));
const typical = (columns: Column[]): Row => Object.fromEntries(columns.map(each => [each.name, each.typical]));

const pointerOf = (name: string): string => `/rows/0/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

function Field(props: {column: Column; k: number; value: string; wrong: Fault | undefined; onChange: (value: string) => void}) {
    const {column, k, value, wrong, onChange} = props;
    const set = (event: {currentTarget: {value: string}}) => onChange(event.currentTarget.value);
    const range = column.min !== null && column.max !== null ? `${number(column.min)} to ${number(column.max)}` : '';
    const outside = column.kind === 'number' && value !== '' && column.min !== null && column.max !== null
        && (Number(value) < column.min || Number(value) > column.max);
    let field;
    if (column.kind === 'number')
        field = <input type="number" step="any" value={value} onInput={set} placeholder="missing" />;
    else if (column.kind === 'choice' && !column.more)
        field = <select value={value} onChange={set}><option value="">missing</option>
            {column.choices.map(each => <option key={each} value={each}>{each}</option>)}</select>;
    else
        field = <><input type="text" value={value} onInput={set} placeholder="missing" list={column.choices.length ? `row-${k}` : undefined} />
            {column.choices.length > 0 && <datalist id={`row-${k}`}>{column.choices.map(each => <option key={each} value={each} />)}</datalist>}</>;
    return <label class={`field ${wrong ? 'invalid' : ''}`}><span class="cut" title={column.name}>{column.name}</span>{field}
        {wrong ? <span class="wrong">{wrong.detail}</span>
            : range && <span class={`help ${outside ? 'outside' : ''}`}>{outside ? `beyond ${range}` : range}</span>}</label>;
}

export function RowForm({columns, fault, onRow}: {columns: Column[]; fault: unknown; onRow: (row: Record<string, unknown>) => void}) {
    const [row, setRow] = useState<Row>(() => typical(columns));
    useEffect(() => onRow(rowOf(columns, row)), [row]);
    const faults = new Map(fault instanceof Problem ? fault.errors.map(each => [each.pointer, each]) : []);
    const others = [...faults.values()].filter(each => !columns.some(column => pointerOf(column.name) === each.pointer));
    return <form onSubmit={event => event.preventDefault()} aria-label="A row">
        <div class="buttons row-buttons">
            <button type="button" class="small" onClick={() => setRow(typical(columns))}>Typical values</button>
            <button type="button" class="small" onClick={() => setRow(empty(columns))}>All empty</button>
            <span class="soft">Empty: a missing value.</span>
        </div>
        {others.length > 0 && <div class="fault">{others.map((each, k) => <div key={k}>{each.pointer} {each.detail}</div>)}</div>}
        <div class="row-fields">{columns.map((column, k) => <Field key={column.name} column={column} k={k}
            value={row[column.name] ?? ''} wrong={faults.get(pointerOf(column.name))}
            onChange={value => setRow(before => ({...before, [column.name]: value}))} />)}</div>
    </form>;
}
