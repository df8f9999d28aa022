// The top of a job's page: what it is, how far it is, what is wrong with it, what can be done.
import {useEffect, useState} from 'preact/hooks';
import {ended, type Job} from '../../api/types';
import {go, href} from '../../router';
import {JobActions} from '../../ui/actions';
import {copy, Facts, Labels, Progress, StatusBadge} from '../../ui/basics';
import {ago, clock, duration, jobName, percent, whole} from '../../ui/format';
import type {ComponentChildren} from 'preact';
import {isSearch, stopText} from './text';

// Draws anew every second, or every half minute when nothing moves.
function useNow(fast: boolean): number {
    const [now, setNow] = useState(Date.now());
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), fast ? 1000 : 30_000);
        return () => clearInterval(timer);
    }, [fast]);
    return now;
}

function progressText(job: Job): string {
    const {epoch, epochs, eta_s, trials, fraction} = job.progress;
    const parts: string[] = [];
    if (trials && epoch === 0)
        parts.push(`${whole(trials.done)} of ${whole(trials.total)} strengths`);
    else
        parts.push(`epoch ${whole(epoch)} of ${whole(epochs)}`);
    parts.push(percent(fraction, 0));
    if (eta_s !== null && job.status === 'running')
        parts.push(`about ${duration(eta_s)} to go`);
    return parts.join(' · ');
}

interface Warned {
    code?: string;
    message?: string;
    detail?: string;
}

function Troubles({job}: {job: Job}) {
    const warnings = job.warnings as (Warned | string)[];
    return <>
        {job.error && <div class="fault" role="alert"><strong>{job.error.title}</strong>{job.error.detail && <>: {job.error.detail}</>}
            {' '}<code>{job.error.code}</code></div>}
        {warnings?.length > 0 && <div class="note" role="note" aria-label="Warnings"><strong>
            {warnings.length === 1 ? 'Warning' : `${warnings.length} warnings`}</strong>
            <ul>{warnings.map((each, k) => <li key={k}>{typeof each === 'string' ? each
                : <>{each.message ?? each.detail ?? JSON.stringify(each)} {each.code && <code>{each.code}</code>}</>}</li>)}</ul></div>}
    </>;
}

export function Head({job, onCurl}: {job: Job; onCurl: () => void}) {
    const end = ended(job.status);
    const now = useNow(!end);
    const name = jobName(job);
    const took = job.started_at
        ? (Date.parse(job.finished_at ?? '') || (end ? NaN : now)) - Date.parse(job.started_at) : NaN;
    const facts: [string, ComponentChildren][] = [
        ['Dataset', job.dataset ? <a href={href(['datasets', job.dataset.id])}>{job.dataset.name}</a>
            : <span class="soft">in the spec itself</span>],
        ['Created', <span title={clock(job.created_at)}>{ago(job.created_at, now)}</span>],
        [end ? 'Took' : job.status === 'running' ? 'Running for' : 'Since its start', job.started_at ? <span title={`Started ${clock(job.started_at)}`}>
            {duration(took / 1000)}</span> : <span class="soft">not started</span>],
    ];
    if (end)
        facts.push(['Ended', <span title={clock(job.finished_at)}>{ago(job.finished_at, now)}</span>]);
    if (job.stop_reason)
        facts.push(['Ended because', stopText(job.stop_reason)]);
    if (job.attempt > 1)
        facts.push(['Attempt', `${job.attempt}: it was begun again after an interruption`]);
    if (job.priority)
        facts.push(['Priority', String(job.priority)]);
    facts.push(['Id', <button class="id-button mono" title="Copy the id" onClick={() => void copy(job.id, 'Id')}>{job.id}</button>]);

    return <div class="job-head">
        <div class="title-row">
            <h1>{name}</h1>
            <StatusBadge status={job.status} />
            {Object.keys(job.labels ?? {}).length > 0 && <span class="job-labels"><Labels labels={job.labels} /></span>}
        </div>
        <div class="buttons job-buttons">
            <JobActions job={job} onRemoved={() => go(['jobs'])} />
            <button onClick={onCurl}>Copy as curl</button>
        </div>
        {(!end || job.progress.fraction < 1) && <div class="job-progress">
            <Progress fraction={job.progress.fraction} label={`Progress of ${name}`} />
            <span class="number">{progressText(job)}</span>
        </div>}
        <Troubles job={job} />
        {isSearch(job) && <p class="search-note">A search over the penalty’s strength
            {job.progress.trials && <>, {whole(job.progress.trials.done)} of {whole(job.progress.trials.total)} strengths done</>}.
            The epochs below are those of its refit. <a class="button small" href={href(['tuning', job.id])}>
                Open the table of the search</a></p>}
        <Facts of={facts} />
    </div>;
}
