// All jobs: search, filters, the live table, and what can be done to many at once. What is shown is
// worked out from the store a few times a second at most; a running job's figures reach its row
// without that.
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import type {Status} from '../api/types';
import {amend, place} from '../router';
import {allJobs, ids as allIds, loaded, loadFault, revision} from '../store/jobs';
import {Fault, Loading} from '../ui/basics';
import {whole} from '../ui/format';
import {keepSame, moves, readFilter, STATUSES, viewOf, writeFilter, type Filter, type View} from './jobs/filter';
import {FirstSteps} from './jobs/first';
import {COLUMNS} from './jobs/row';
import {selected, SelectionBar} from './jobs/selection';
import {JobTable} from './jobs/table';
import './jobs.css';

const LOOK_MS = 250;
const LOOK_MOVING_MS = 1500; // sorted by what changes with every epoch: rows must not dance

function useView(filter: Filter): View {
    const [view, setView] = useState<View>(() => viewOf(allJobs(), filter));
    const latest = useRef(filter);
    latest.current = filter;
    const look = () => setView(old => keepSame(old, viewOf(allJobs(), latest.current)));
    const key = JSON.stringify(filter);
    useMemo(() => { // at once when the filter changes
        const next = viewOf(allJobs(), filter);
        setView(old => keepSame(old, next));
    }, [key]);
    useEffect(() => {
        let timer: ReturnType<typeof setTimeout> | null = null;
        let last = 0;
        const stop = revision.subscribe(() => {
            const wait = moves(latest.current.sort) ? LOOK_MOVING_MS : LOOK_MS;
            timer ??= setTimeout(() => {
                timer = null;
                last = Date.now();
                look();
            }, Math.max(0, last + wait - Date.now()));
        });
        const stopIds = allIds.subscribe(() => look());
        return () => {
            stop();
            stopIds();
            if (timer)
                clearTimeout(timer);
        };
    }, []);
    return view;
}

function Chips({filter, view}: {filter: Filter; view: View}) {
    const turn = (status: Status) => {
        const on = filter.statuses.includes(status);
        amend(writeFilter({statuses: on ? filter.statuses.filter(each => each !== status) : [...filter.statuses,
            status]}));
    };
    return <div class="chips" role="group" aria-label="Status">
        <button class="chip" aria-pressed={!filter.statuses.length} onClick={() => amend(writeFilter({statuses: []}))}>
            All <b>{whole(view.matching)}</b></button>
        {STATUSES.map(status => {
            const count = view.counts[status] ?? 0;
            return <button key={status} class={`chip of-${status} ${count ? '' : 'none'}`}
                aria-pressed={filter.statuses.includes(status)} onClick={() => turn(status)}>
                {status} <b>{whole(count)}</b></button>;
        })}
    </div>;
}

function LabelFilter({filter, view}: {filter: Filter; view: View}) {
    const add = (label: string) => label && amend(writeFilter({labels: [...new Set([...filter.labels, label])]}));
    if (!view.labels.length && !filter.labels.length)
        return null;
    return <>
        <select aria-label="Only jobs with a label" value="" onChange={event => {
            add(event.currentTarget.value);
            event.currentTarget.value = '';
        }}>
            <option value="">Label…</option>
            {view.labels.map(([label, count]) => <option key={label} value={label}>{label} ({whole(count)})</option>)}
        </select>
        {filter.labels.map(label => <button key={label} class="chip on" aria-label={`No longer only ${label}`}
            onClick={() => amend(writeFilter({labels: filter.labels.filter(each => each !== label)}))}>
            <span class="clip">{label}</span> <span aria-hidden="true">×</span></button>)}
    </>;
}

function Search({text}: {text: string}) {
    const field = useRef<HTMLInputElement>(null);
    useEffect(() => {
        const slash = (event: KeyboardEvent) => {
            const inField = (event.target as HTMLElement).closest?.('input, textarea, select, dialog');
            if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || inField)
                return;
            event.preventDefault();
            field.current?.focus();
            field.current?.select();
        };
        addEventListener('keydown', slash);
        return () => removeEventListener('keydown', slash);
    }, []);
    return <input ref={field} class="search" type="search" value={text}
        placeholder="Search name, id, dataset, label  ( / )"
        aria-label="Search jobs" onInput={event => amend(writeFilter({text: event.currentTarget.value}))}
        onKeyDown={event => {
            if (event.key === 'Escape' && !text)
                event.currentTarget.blur();
            if (event.key === 'ArrowDown' || event.key === 'Enter') {
                event.preventDefault();
                document.querySelector<HTMLElement>('tr.job[tabindex="0"]')?.focus();
            }
        }} />;
}

function Sorts({sort}: {sort: string}) {
    return <select class="sorts" aria-label="Sort" value={sort}
        onChange={event => amend(writeFilter({sort: event.currentTarget.value}))}>
        {COLUMNS.filter(each => each.id).flatMap(({id, title}) => [
            <option key={id} value={id}>{title} ↑</option>,
            <option key={`-${id}`} value={`-${id}`}>{title} ↓</option>])}
    </select>;
}

export function JobsPage() {
    const filter = readFilter(place.value.query);
    const view = useView(filter);
    const onLabel = useMemo(() => (label: string) => {
        const {labels} = readFilter(place.peek().query);
        amend(writeFilter({labels: [...new Set([...labels, label])]}));
    }, []);
    const onSort = useMemo(() => (sort: string) => amend(writeFilter({sort})), []);
    const state = loaded.value;
    const fault = loadFault.value;
    const any = allIds.value.length > 0;

    return <div class="jobs-page">
        <div class="title-row"><h1>Jobs</h1><a class="button primary" href="#/new">New job</a></div>
        {fault && fault.status !== 401 && <Fault fault={fault} />}
        {state === 'no' && !fault && <Loading what="jobs" />}
        {state === 'all' && !any && <FirstSteps />}
        {any && <>
            <div class="filters" role="search">
                <Search text={filter.text} />
                <LabelFilter filter={filter} view={view} />
                <Sorts sort={filter.sort} />
                <Chips filter={filter} view={view} />
            </div>
            <div class="above">
                {selected.value.size ? <SelectionBar shown={view.ids} />
                    : <p class="soft" role="status">{whole(view.ids.length)} of {whole(allIds.value.length)} jobs
                        {state === 'some' && ', loading the rest…'}</p>}
            </div>
            {view.ids.length > 0 ? <JobTable ids={view.ids} sort={filter.sort} onSort={onSort} onLabel={onLabel} />
                : <div class="empty"><h2>No job matches</h2>
                    <button onClick={() => amend(writeFilter({text: '', statuses: [],
                        labels: []}))}>Show all jobs</button></div>}
        </>}
    </div>;
}
