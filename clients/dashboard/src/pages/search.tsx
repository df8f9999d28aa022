// A search: which strength of the penalty, and how sure one can be of it. What comes with the trial
// events goes into the table that was read once; at the end the table is read again, for the choices.
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {get, Problem} from '../api/client';
import {ended, type Job, type JobEvent} from '../api/types';
import {connected, listen} from '../live/live';
import {amend, href, place} from '../router';
import {fetchJob, jobOf, revision} from '../store/jobs';
import {Empty, Facts, Fault, Loading, Panel, Progress, StatusBadge} from '../ui/basics';
import {jobName, number, whole} from '../ui/format';
import {StrengthCurve, type View} from './search/curve';
import {HeatMap} from './search/heat';
import {CoefficientPath} from './search/path';
import {edges, searched, series, strengthText, trialOf, withTrial, type Strength, type Table} from './search/table';
import {Trials} from './search/trials';
import {Weights} from './search/weights';
import './search.css';

const address = (id: string, format = '') => `v1/jobs/${encodeURIComponent(id)}/tuning${format}`;

// How often the server was heard again: what it told meanwhile may have been too much to tell again.
function useReconnections(): number {
    const live = connected.value;
    const [round, setRound] = useState(0);
    const lost = useRef(false), before = useRef(false);
    useEffect(() => {
        if (live && lost.current)
            setRound(count => count + 1);
        lost.current = before.current && !live;
        before.current ||= live;
    }, [live]);
    return round;
}

// The table, kept up to date; and why there is none.
function useTable(id: string): {table: Table | null; fault: unknown} {
    const [table, setTable] = useState<Table | null>(null);
    const [fault, setFault] = useState<unknown>(null);
    const round = useReconnections();
    useEffect(() => {
        const told = new Map<number, JobEvent>();
        let gone = false, timer: ReturnType<typeof setTimeout> | null = null, shown: Table | null = null;
        const show = () => !gone && setTable(shown = shown && [...told.values()].reduce(withTrial, shown));
        const read = async () => {
            if (timer)
                clearTimeout(timer);
            timer = null;
            try {
                shown = await get<Table>(address(id));
                if (ended(shown.status))
                    told.clear();
                show();
                if (!gone)
                    setFault(null);
            } catch (why) {
                if (gone)
                    return;
                setFault(why);
                if (why instanceof Problem && why.status === 0)
                    timer = setTimeout(read, 2000);
            }
        };
        const stop = listen(event => {
            if (event.job !== id)
                return;
            if (event.type === 'trial') {
                told.set((event as {trial: number}).trial, event);
                timer ??= setTimeout(() => {
                    timer = null;
                    show();
                }, 120);
            } else if (event.type === 'end' || event.type === 'state') {
                void read();
            }
        });
        void read();
        return () => {
            gone = true;
            stop();
            if (timer)
                clearTimeout(timer);
        };
    }, [id, round]);
    return {table, fault};
}

function useJob(id: string): Job | null {
    void revision.value;
    const job = jobOf(id)?.value ?? null;
    useEffect(() => {
        if (!job)
            void fetchJob(id).catch(() => {});
    }, [id, !job]);
    return job;
}

export function SearchPage({id}: {id: string}) {
    const job = useJob(id);
    const {table, fault} = useTable(id);
    const title = <div class="title-row">
        <h1>{job ? jobName(job) : 'Search'}</h1>
        {job && <StatusBadge status={job.status} />}
        <div class="buttons">
            <a class="button small" href={href(['jobs', id])}>Job</a>
            {table && <>
                <a class="button small" href={address(id, '?format=csv')} download={`${id}-tuning.csv`}>CSV</a>
                <a class="button small" href={address(id, '?format=svg')} download={`${id}-tuning.svg`}>SVG</a>
            </>}
        </div>
    </div>;
    if (fault instanceof Problem && fault.status === 404)
        return <Empty title={fault.code === 'not_tuning' ? 'This job is no search' : 'There is no such job'}>
            <p>{fault.code === 'not_tuning' ? <a href={href(['jobs', id])}>The job</a> : <a href="#/tuning">All searches</a>}</p>
        </Empty>;
    if (!table)
        return <>{title}{fault ? <Fault fault={fault} /> : <Loading what="the search" />}</>;
    return <>{title}<Overview table={table} job={job} /><Pictures table={table} job={job} /></>;
}

function Overview({table, job}: {table: Table; job: Job | null}) {
    const names = searched(table);
    const chosen = trialOf(table, table.chosen), min = trialOf(table, table.min);
    const running = job !== null && !ended(job.status);
    const told = (trial: typeof chosen) => (trial ? <>{strengthText(trial, names)}</> : '–');
    return <div class="stack overview">
        {running && <div class="search-progress">
            <Progress fraction={job.progress.fraction} label="The search" />
            <span>{table.trials.length < table.trials_total || table.trials_total === 0
                ? `${table.trials.length} of ${table.trials_total || '…'} strengths`
                : `refit, epoch ${job.progress.epoch} of ${job.progress.epochs}`}</span>
        </div>}
        {job?.error && <div class="fault" role="alert"><strong>{job.error.title}</strong>: {job.error.detail}</div>}
        <Facts of={[
            ['Chosen', <b key="c">{told(chosen)}</b>],
            ['Its validation loss', chosen ? `${number(chosen.mean_data_loss)}${chosen.standard_error === null ? ''
                : ` ± ${number(chosen.standard_error, 2)}`}` : '–'],
            ['The least loss', min ? `${number(min.mean_data_loss)}, ${strengthText(min, names)}` : '–'],
            ['Rule', table.rule === '1se' ? '1se: the strongest within one standard error' : 'min: the least loss'],
            ['Folds', table.folds > 1 ? `${table.folds}, ${table.fold_assignment}` : 'one validation split'],
            ['Rows', whole(table.rows)],
        ]} />
        <Edge table={table} />
    </div>;
}

function Edge({table}: {table: Table}) {
    const found = edges(table);
    return found.length ? <p class="note">The choice is the {found.join(' and the ')} of all: the range was too narrow. Search on in
        that direction.</p> : null;
}

function Pictures({table, job}: {table: Table; job: Job | null}) {
    const {query} = place.value;
    const [hot, setHot] = useState<number | null>(null);
    const names = searched(table);
    const asked = query.get('along') as Strength;
    const along = names.includes(asked) ? asked : names[0]!;
    const curves = useMemo(() => series(table, along), [table, along]);
    const losses = table.trials.map(each => each.mean_data_loss).filter((value): value is number => value !== null);
    const wide = losses.length > 1 && Math.max(...losses) > 8 * Math.min(...losses) && Math.min(...losses) > 0;
    const log = query.has('log') ? query.get('log') === 'yes' : wide;
    const folds = query.get('folds') === 'yes';
    const zoom = query.get('zoom')?.split('..').map(Number) as [number, number] | undefined;
    const features = useRef<string[]>([]);
    const listed = (job?.resolved?.data as {features?: string[]} | undefined)?.features;
    if (listed)
        features.current = listed;
    const view: View = {table, along, curves, hot, setHot,
        zoom: zoom?.length === 2 && zoom.every(Number.isFinite) && zoom[1] > zoom[0] ? zoom : null,
        setZoom: range => amend({zoom: range ? range.map(each => Number(each.toPrecision(4))).join('..') : null})};
    if (!table.trials.length)
        return <Panel title="Strengths"><Empty title="No strength is through yet">
            <p>Each is trained on all folds before its figures stand here.</p></Empty></Panel>;
    return <div class="stack">
        <div class="search-grid">
            <Panel title="Validation loss over the strength" aside={<>
                {view.zoom && <button class="small" onClick={() => view.setZoom(null)}>Whole range</button>}
                {names.length > 1 && <label class="inline">along <select value={along} onChange={event =>
                    amend({along: event.currentTarget.value, zoom: null})}>
                    {names.map(each => <option key={each}>{each}</option>)}</select></label>}
                <label class="inline"><input type="checkbox" checked={log}
                    onChange={event => amend({log: event.currentTarget.checked ? 'yes' : 'no'})} /> log axis</label>
                <label class="inline"><input type="checkbox" checked={folds}
                    onChange={event => amend({folds: event.currentTarget.checked ? 'yes' : null})} /> each fold</label>
            </>}>
                {losses.length ? <StrengthCurve view={view} log={log} folds={folds} />
                    : <Empty title="No strength has succeeded" />}
            </Panel>
            {losses.length > 0 && <Panel title="Weights"><Weights view={view} /></Panel>}
        </div>
        {table.path && table.path.length > 1 && <CoefficientPath table={table} path={table.path} features={features.current} />}
        {names.length === 2 && losses.length > 1 && <HeatMap table={table} hot={hot} setHot={setHot}
            names={[along, names.find(each => each !== along)!]} />}
        <Trials table={table} names={names} job={job} hot={hot} setHot={setHot} />
    </div>;
}
