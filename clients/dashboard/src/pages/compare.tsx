// Several runs: one metric a chart, a table of what differs and what came of it, and a setting
// against a result. The address holds all choices; zoom and the run that is pointed at are shared by
// every part of the page.
import {useEffect, useMemo, useState} from 'preact/hooks';
import {useSignal, type Signal} from '@preact/signals';
import type {Job} from '../api/types';
import {amend, place} from '../router';
import {allJobs, fetchJob, ids as allIds, jobOf, loaded, loadFault, revision} from '../store/jobs';
import {Empty, Fault, Loading, Panel} from '../ui/basics';
import {jobName} from '../ui/format';
import {runColour} from '../ui/theme';
import {Menu} from '../ui/menu';
import {smoothed, type Curve, type Range} from './compare/draw';
import {RunList} from './compare/list';
import {Picker} from './compare/picker';
import {Plot} from './compare/plot';
import {bestIndex} from './compare/results';
import {Runs} from './compare/runs';
import {Scatter} from './compare/scatter';
import {incomparable, settingsOf} from './compare/settings';
import {CHARTS_MAX, dashOf, METRICS, readState, setRuns, X_TITLES, type State, type XName} from './compare/state';
import {CompareTable} from './compare/table';
import './compare.css';

const CALM_MS = 700; // a page of a hundred live runs is worked out anew at most so often

// The jobs that are compared, as they are now; worked out anew calmly.
function useJobs(ids: string[]): Map<string, Job> {
    const [beat, setBeat] = useState(0);
    useEffect(() => {
        let timer: ReturnType<typeof setTimeout> | null = null;
        const stop = revision.subscribe(() => {
            timer ??= setTimeout(() => {
                timer = null;
                setBeat(old => old + 1);
            }, CALM_MS);
        });
        return () => {
            stop();
            if (timer)
                clearTimeout(timer);
        };
    }, []);
    const held = useMemo<{jobs: Map<string, Job>}>(() => ({jobs: new Map()}), []);
    const next = new Map(ids.flatMap(id => {
        const job = jobOf(id)?.peek();
        return job ? [[id, job] as const] : [];
    }));
    void beat;
    const same = next.size === held.jobs.size && [...next].every(([id, job]) => held.jobs.get(id) === job)
        && [...next.keys()].join() === [...held.jobs.keys()].join();
    if (!same)
        held.jobs = next;
    return held.jobs;
}

// What the runs have of the metrics; others would draw nothing.
function metricsOf(jobs: Map<string, Job>, chosen: string[]): string[] {
    const has = (name: string) => [...jobs.values()].some(job => {
        const [first, second] = name.split('.');
        const part = (job.latest as unknown as Record<string, unknown> | null)?.[first!];
        return second ? (part as Record<string, unknown> | undefined)?.[second] !== undefined : part !== undefined;
    });
    const some = METRICS.filter(name => chosen.includes(name) || has(name));
    return some.length > chosen.length ? some : METRICS;
}

function Tools({state}: {state: State}) {
    const shown = state.ids.length - state.hidden.size;
    return <div class="compare-tools" role="group" aria-label="Charts">
        <label>x <select value={state.x} onChange={event => amend({x: event.currentTarget.value === 'epoch' ? null
            : event.currentTarget.value})}>
            {(Object.keys(X_TITLES) as XName[]).map(name => <option key={name}
                value={name}>{X_TITLES[name]}</option>)}</select></label>
        <label class="switch"><input type="checkbox" checked={state.logX}
            onChange={event => amend({logx: event.currentTarget.checked && '1'})} /> log x</label>
        <label class="switch"><input type="checkbox" checked={state.logY}
            onChange={event => amend({logy: event.currentTarget.checked && '1'})} /> log y</label>
        <label class="smooth" title="Exponential moving average over the points drawn: weight × average so far + (1 − weight) × point. The raw curve stays faintly behind it.">
            Smoothing <input type="range" min="0" max="0.99" step="0.01" value={state.smooth}
                aria-valuetext={state.smooth ? `moving average, weight ${state.smooth}` : 'none'}
                onInput={event => amend({smooth: Number(event.currentTarget.value) || null})} />
            <output>{state.smooth ? state.smooth.toFixed(2) : 'none'}</output></label>
        {state.smooth > 0 && <span class="soft">Moving average{shown <= 30 ? ', raw curves faint behind it'
            : '; the raw curve of the run that is pointed at'}</span>}
        <span class="soft best-note">● best epoch</span>
    </div>;
}

function Charts({state, jobs, runs, version, hovered}: {state: State; jobs: Map<string,
    Job>; runs: Runs; version: number;
    hovered: Signal<string | null>}) {
    const zoom = useSignal<Range | null>(null);
    const names = metricsOf(jobs, state.charts);
    const shown = state.ids.filter(id => !state.hidden.has(id));
    const seen = shown.join();
    useEffect(() => {
        zoom.value = null;
    }, [state.x, state.logX]);

    // As many points as a chart is wide; more where a zoom looks closer.
    const span = zoom.value;
    useEffect(() => {
        const width = Math.min(900, Math.max(300, .4 * innerWidth));
        const timer = setTimeout(() => {
            let factor = 1;
            if (span) {
                const all = state.ids.flatMap(id => {
                    const xs = runs.get(id)?.columns.get(state.x);
                    return xs?.length ? [xs[xs.length - 1]!] : [];
                });
                factor = Math.max(1, Math.max(0, ...all) / (span[1] - span[0]));
            }
            runs.want(state.ids, state.charts, width * factor);
        }, span ? 250 : 0);
        return () => clearTimeout(timer);
    }, [state.ids.join(), state.charts.join(), span]);

    const curves = useMemo(() => state.charts.map(metric => shown.flatMap((id): Curve[] => {
        const run = runs.get(id);
        const xs = run?.columns.get(state.x), raw = run?.columns.get(metric);
        const job = jobs.get(id);
        if (!xs || !raw || !job)
            return [];
        const at = state.ids.indexOf(id);
        return [{id, label: jobName(job), colour: runColour(at), dash: dashOf(at), xs,
            ys: state.smooth ? smoothed(raw, state.smooth) : raw, raw: state.smooth ? raw : null, best: bestIndex(job,
                runs)}];
    })), [seen, state.ids.join(), state.charts.join(), state.x, state.smooth, version, jobs]);

    const change = (k: number, name: string | null) => {
        const next = [...state.charts];
        if (name === null)
            next.splice(k, 1);
        else
            next[k] = name;
        amend({charts: [...new Set(next)].join(',')});
    };
    const free = names.filter(name => !state.charts.includes(name));
    return <>
        <div class="compare-bar"><Tools state={state} />
            {zoom.value && <button class="small" onClick={() => (zoom.value = null)}>Whole range</button>}
            {state.charts.length < CHARTS_MAX && free.length > 0 && <Menu class="small" label="Add a chart"
                items={() => free.map(name => ({title: name, onChoose: () => change(state.charts.length,
                    name)}))}>Add a chart</Menu>}
        </div>
        <div class="grid compare-charts">{state.charts.map((metric, k) => <section class="panel" key={metric}
            aria-label={metric}>
            <header>
                <select aria-label={`Metric of chart ${k + 1}`} value={metric}
                    onChange={event => change(k, event.currentTarget.value)}>
                    {names.map(name => <option key={name} value={name}
                        disabled={name !== metric && state.charts.includes(name)}>{name}</option>)}
                </select>
                {state.charts.length > 1 && <div class="aside"><button class="icon-button"
                    aria-label={`Remove the chart of ${metric}`} title="Remove"
                    onClick={() => change(k, null)}><span aria-hidden="true">×</span></button></div>}
            </header>
            <Plot metric={metric} xTitle={X_TITLES[state.x]} seconds={state.x === 'elapsed_s'} curves={curves[k]!}
                logX={state.logX}
                logY={state.logY} zoom={zoom} hovered={hovered} />
        </section>)}</div>
    </>;
}

export function ComparePage() {
    const state = readState(place.value.query);
    const [picking, setPicking] = useState(false);
    const hovered = useSignal<string | null>(null);
    const runs = useMemo(() => new Runs(), []);
    useEffect(() => () => runs.dispose(), []);
    const version = runs.version.value;
    const jobs = useJobs(state.ids);
    const known = loaded.value;
    void allIds.value;
    const list = useMemo(() => [...jobs.values()], [jobs]);
    const settings = useMemo(() => settingsOf(list),
        [list.map(job => `${job.id} ${!!job.resolved} ${job.status}`).join()]);

    // A link's runs may be far down the list: they are read at once.
    useEffect(() => {
        for (const id of state.ids.slice(0, 20))
            if (known !== 'no' && !jobOf(id))
                void fetchJob(id).catch(() => {});
    }, [known === 'no', state.ids.join()]);

    // The same elements again are not looked at: smoothing and axes leave list, table and scatter alone.
    const query = place.value.query;
    const key = ['jobs', 'hide', 'sort', 'equal', 'setting', 'result'].map(name => query.get(name)).join('\n');
    const runList = useMemo(() => <RunList state={state} jobs={jobs} runs={runs} hovered={hovered}
        onAdd={() => setPicking(true)} />,
        [key, jobs, version]);
    const table = useMemo(() => <>
        <CompareTable jobs={list} settings={settings} runs={runs} version={version} state={state} hovered={hovered} />
        {list.length > 1 && <Scatter jobs={list} settings={settings} runs={runs} state={state} hovered={hovered} />}
    </>, [key, jobs, settings, version]);

    const newest = () => setRuns(allJobs().filter(job => job.latest).slice(0, 10).map(job => job.id));
    const picker = picking && <Picker chosen={state.ids} onChange={setRuns} onClose={() => setPicking(false)} />;
    // The dialog stands at one place beside both: the first choice must not make it anew.
    if (!state.ids.length)
        return <><div class="compare-page"><h1>Compare</h1>
            {loadFault.value && <Fault fault={loadFault.value} />}
            {known === 'no' && !loadFault.value ? <Loading what="jobs" />
                : !allIds.value.length ? <Empty title="No jobs yet"><p>Runs that you <a
                    href="#/new">start</a> can be compared here.</p></Empty>
                    : <Empty title="Choose runs to compare">
                        <p>Their curves in one chart, the settings that differ beside what came of them.</p>
                        <div class="buttons middle"><button class="primary"
                            onClick={() => setPicking(true)}>Choose runs</button>
                            <button onClick={newest}>The newest 10</button></div></Empty>}
        </div>{picker}</>;
    const apart = incomparable(list, settings);
    const missing = known === 'all' ? state.ids.filter(id => !jobOf(id)) : [];
    return <><div class="compare-page">
        <div class="title-row"><h1>Compare</h1></div>
        {loadFault.value && <Fault fault={loadFault.value} />}
        {missing.length > 0 && <p class="note">{missing.length === 1 ? 'One run is'
            : `${missing.length} runs are`} no longer there.{' '}
            <button class="small" onClick={() => setRuns(state.ids.filter(id => !missing.includes(id)))}>Take out</button></p>}
        {apart && <p class="note">{apart}</p>}
        <div class="compare-top">
            {runList}
            <div class="stack"><Charts state={state} jobs={jobs} runs={runs} version={version}
                hovered={hovered} /></div>
        </div>
        {table}
        {list.length === 1 &&
            <Panel title="One run"><p class="soft">Add another one to see what differs.</p>
                <button onClick={() => setPicking(true)}>Add runs</button></Panel>}
    </div>{picker}</>;
}
