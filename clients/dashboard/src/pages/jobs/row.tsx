// One job's row. It reads its job's signal, so that an epoch draws this row and no other.
import type {ComponentChildren} from 'preact';
import {signal} from '@preact/signals';
import {ended, type Job} from '../../api/types';
import {href} from '../../router';
import {jobOf} from '../../store/jobs';
import {JobActions} from '../../ui/actions';
import {Progress, StatusBadge} from '../../ui/basics';
import {ago, clock, duration, jobName, number, short, whole} from '../../ui/format';
import {fractionOf, gapOf, leftOf, lossBest, lossNow, secondsOf, speedOf} from './figures';
import {Spark} from './spark';

// "3 min ago" grows old: rows look at the clock from time to time.
const tick = signal(0);
setInterval(() => document.hidden || tick.value++, 20_000);

export interface Column {
    id: string; // what it is sorted by; "": not at all
    name: string; // the class
    title: string;
    cell: (job: Job, onLabel: (label: string) => void) => ComponentChildren;
}

const two = (first: ComponentChildren, second: ComponentChildren) =>
    <><div>{first}</div><div class="second">{second}</div></>;

const REASONS: Record<string, string> = {early_stopping: 'stopped early', deadline: 'deadline', stopped: 'stopped',
    nonfinite: 'not finite', crash: 'crash', memory: 'memory', not_reproducible: 'not reproducible', data: 'data'};

const count = (value: number): string => (value >= 100_000 ? short(value) : whole(value));

function progress(job: Job) {
    const {trials, epoch, epochs} = job.progress;
    const done = trials ? `${whole(trials.done)} of ${whole(trials.total)} trials`
        : job.status === 'queued' && !epoch ? 'waits' : `${count(epoch)} of ${count(epochs)}`;
    const why = ended(job.status) ? REASONS[job.stop_reason ?? ''] : job.attempt > 1 ? `attempt ${job.attempt}` : '';
    return <>
        <div class="done" title={job.error?.detail ?? ''}>{done}{why && <span class="soft"> · {why}</span>}</div>
        <Progress fraction={fractionOf(job)} label="Progress" />
    </>;
}

function labels(job: Job, onLabel: (label: string) => void) {
    const all = Object.entries(job.labels ?? {});
    return all.length > 0 && <div class="tags">{all.map(([key, value]) =>
        <button key={key} class="label" tabIndex={-1} title={`Only jobs with ${key}=${value}`} onClick={event => {
            event.stopPropagation();
            onLabel(`${key}=${value}`);
        }}>{key}<i>=</i>{value}</button>)}</div>;
}

function loss(job: Job) {
    const best = lossBest(job);
    const which = job.latest && !job.latest.validation ? 'training' : 'validation';
    const now = lossNow(job);
    return <div class="loss" title={now === null ? '' : `${which} data_loss now ${number(now, 6)}`
        + (best !== null ? `, best ${number(best, 6)} at epoch ${job.best!.epoch}` : '')}>
        <Spark id={job.id} />
        <div>{two(number(now), best !== null && <>best {number(best)}</>)}</div>
    </div>;
}

export const COLUMNS: Column[] = [
    {id: 'status', name: 'c-status', title: 'Status', cell: job => <StatusBadge status={job.status} />},
    {id: 'name', name: 'c-name', title: 'Name', cell: job => two(
        <a class="name" tabIndex={-1} href={href(['jobs', job.id])}
            title={`${jobName(job)}\n${job.id}`}>{jobName(job)}</a>,
        job.dataset?.name ?? 'inline rows')},
    {id: '', name: 'c-labels', title: 'Labels', cell: labels},
    {id: 'progress', name: 'c-progress', title: 'Epochs', cell: progress},
    {id: 'loss', name: 'c-loss', title: 'Validation loss', cell: loss},
    {id: 'gap', name: 'c-gap number', title: 'Gap', cell: job => number(gapOf(job), 3)},
    {id: 'speed', name: 'c-speed number', title: 'Samples/s', cell: job => short(speedOf(job))},
    {id: 'time', name: 'c-time number', title: 'Time, ETA', cell: job => {
        const left = leftOf(job);
        return two(duration(secondsOf(job)), left !== null && <>{duration(left)} left</>);
    }},
    {id: 'created', name: 'c-created number', title: 'Created', cell: job => {
        void tick.value;
        return <span title={clock(job.created_at)}>{ago(job.created_at)}</span>;
    }},
];

export interface RowProps {
    id: string;
    index: number; // among those shown
    selected: boolean;
    active: boolean; // where the arrows are
    onPick: (index: number, event: MouseEvent, box: boolean) => void;
    onLabel: (label: string) => void;
}

export function Row({id, index, selected, active, onPick, onLabel}: RowProps) {
    const job = jobOf(id)?.value;
    if (!job)
        return null;
    return <tr class="job" role="row" aria-rowindex={index + 2} aria-selected={selected} tabIndex={active ? 0 : -1}
        data-index={index} data-id={id} onClick={event => onPick(index, event, false)}>
        <td class="c-pick" role="gridcell">
            <input type="checkbox" tabIndex={-1} checked={selected} aria-label={`Select ${jobName(job)}`}
                onClick={event => {
                    event.stopPropagation();
                    onPick(index, event, true);
                }} />
        </td>
        {COLUMNS.map(column => <td key={column.name} class={column.name}
            role="gridcell">{column.cell(job, onLabel)}</td>)}
        <td class="c-actions" role="gridcell"><JobActions job={job} compact /></td>
    </tr>;
}
