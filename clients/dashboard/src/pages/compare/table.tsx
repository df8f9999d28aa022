// One row a run: the settings that differ, and what came of them. The best of each result is marked
// by a star and bold type.
import {useMemo} from 'preact/hooks';
import type {Signal} from '@preact/signals';
import type {Job} from '../../api/types';
import {amend, href} from '../../router';
import {Panel, StatusBadge} from '../../ui/basics';
import {csv} from '../../ui/csv';
import {exact, jobName, number} from '../../ui/format';
import {save} from '../../ui/save';
import {leaves} from '../../ui/touch';
import {Swatch, useHovered} from './list';
import {RESULTS} from './results';
import type {Runs} from './runs';
import type {Setting} from './settings';
import type {State} from './state';

type Value = number | string | boolean | null | undefined;

interface Row {
    job: Job;
    place: number; // its colour
    settings: unknown[];
    results: Value[];
}

function bests(rows: Row[]): (number | null)[] {
    return RESULTS.map((result, k) => {
        if (!result.better)
            return null;
        const values = rows.map(row => row.results[k]).filter(value => typeof value === 'number') as number[];
        if (values.length < 2)
            return null;
        const best = result.better === 'less' ? Math.min(...values) : Math.max(...values);
        return values.every(value => value === best) ? null : best;
    });
}

function order(a: unknown, b: unknown, down: boolean): number {
    const none = (value: unknown) => value === null || value === undefined;
    if (none(a) || none(b))
        return none(a) === none(b) ? 0 : none(a) ? 1 : -1;
    const both = typeof a === 'number' && typeof b === 'number';
    const sign = both ? (a as number) - (b as number) : exact(a) < exact(b) ? -1 : exact(a) > exact(b) ? 1 : 0;
    return down ? -sign : sign;
}

interface Props {
    jobs: Job[];
    settings: Setting[];
    runs: Runs;
    version: number;
    state: State;
    hovered: Signal<string | null>;
}

export function CompareTable({jobs, settings, runs, version, state, hovered}: Props) {
    // What differs stands before the results, what does not behind them.
    const differing = settings.filter(each => each.differs);
    const shown = state.equal ? [...differing, ...settings.filter(each => !each.differs)] : differing;
    const equal = settings.length - differing.length;
    const {rows, results} = useMemo(() => {
        const all: Row[] = jobs.map(job => ({job, place: state.ids.indexOf(job.id),
            settings: shown.map(each => each.of.get(job.id)),
            results: RESULTS.map(result => result.value(job, runs))}));
        return {rows: all, results: RESULTS.map((_, k) => k).filter(k => all.some(row => row.results[k] !== null))};
    }, [jobs, settings, version, state.equal]);
    const best = useMemo(() => bests(rows), [rows]);

    const root = useHovered<HTMLTableSectionElement>(hovered);
    const down = state.sort.startsWith('-');
    const key = state.sort.replace(/^-/, '');
    const sorted = useMemo(() => {
        const setting = shown.findIndex(each => each.path === key);
        const result = RESULTS.findIndex(each => each.id === key);
        if (!key || (setting < 0 && result < 0 && key !== 'name'))
            return rows;
        const of = (row: Row): unknown => (setting >= 0 ? row.settings[setting]
            : result >= 0 ? row.results[result] : jobName(row.job).toLowerCase());
        return [...rows].sort((a, b) => order(of(a), of(b), down) || a.place - b.place);
    }, [rows, state.sort]);

    const head = (id: string, title: string, help: string, kind = '') => {
        const on = key === id;
        return <th key={id} class={kind} aria-sort={on ? (down ? 'descending' : 'ascending') : undefined} scope="col">
            <button class="sorter" title={help} onClick={() => amend({sort: on && !down ? `-${id}` : on ? null : id})}>
                {title}<span aria-hidden="true" class="arrow">{on ? (down ? '↓' : '↑') : ''}</span></button></th>;
    };

    const setting = (each: Setting) => head(each.path, each.path, `Sort by ${each.path}`, each.numeric ? 'number' : '');
    const cell = (value: unknown, k: number) => <td key={`s${k}`} class={shown[k]!.numeric ? 'number' : 'setting'}
        title={value === undefined ? '' : exact(value)}>
        {value === undefined ? '–' : typeof value === 'number' && !Number.isInteger(value) ? number(value,
            5) : exact(value)}</td>;

    const saveAll = () => save('ockham-compare.csv', ['\ufeff', csv([
        ['id', 'name', ...shown.map(each => each.path), ...results.map(k => RESULTS[k]!.column)],
        ...sorted.map(row => [row.job.id, row.job.name ?? '', ...row.settings as Value[],
            ...results.map(k => row.results[k])]),
    ])], 'text/csv;charset=utf-8');

    return <Panel title="Settings and results" aside={<>
        <label class="switch"><input type="checkbox" checked={state.equal}
            onChange={event => amend({equal: event.currentTarget.checked})} />
            Equal settings, too ({equal})</label>
        <button class="small" onClick={saveAll}>CSV</button></>}>
        <div class="scroll compare-scroll" tabIndex={0} role="region" aria-label="Settings and results, scrollable">
            <table class="compare-table">
                <caption class="hidden">Figures of each run's best epoch</caption>
                <thead><tr>
                    {head('name', 'Run', 'Sort by name', 'c-run')}
                    {shown.slice(0, differing.length).map(setting)}
                    {results.map(k => head(RESULTS[k]!.id, RESULTS[k]!.title, RESULTS[k]!.help,
                        `${RESULTS[k]!.id === 'status' ? '' : 'number'} ${k === results[0] ? 'apart' : ''}`))}
                    {shown.slice(differing.length).map(setting)}
                </tr></thead>
                <tbody ref={root}>{sorted.map(row => <tr key={row.job.id} data-run={row.job.id}
                    onPointerEnter={() => (hovered.value = row.job.id)}
                onPointerLeave={event => leaves(event) && (hovered.value = null)}>
                    <th scope="row" class="c-run"><Swatch place={row.place} />{' '}
                        <a href={href(['jobs', row.job.id])} title={jobName(row.job)}>{jobName(row.job)}</a></th>
                    {row.settings.slice(0, differing.length).map(cell)}
                    {results.map(k => {
                        const value = row.results[k];
                        if (RESULTS[k]!.id === 'status')
                            return <td key={k}><StatusBadge status={row.job.status} /></td>;
                        const star = best[k] !== null && value === best[k];
                        return <td key={k} class={`number ${star ? 'best' : ''} ${k === results[0] ? 'apart' : ''}`}>
                            {star && <span title="The best of these runs"><span aria-hidden="true">★ </span><span
                                class="hidden">best </span></span>}
                            {value === null ? '–' : RESULTS[k]!.show(value as number)}</td>;
                    })}
                    {row.settings.slice(differing.length).map((value, k) => cell(value, differing.length + k))}
                </tr>)}</tbody>
            </table>
        </div>
        {jobs.length > 1 && !settings.some(each => each.differs) && <p
            class="soft">These runs have the same settings.</p>}
    </Panel>;
}
