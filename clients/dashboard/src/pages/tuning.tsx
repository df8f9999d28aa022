// All searches, newest first. What was chosen stands only in a search's table: those of the searches
// that have ended are read once, one after the other.
import {useEffect, useState} from 'preact/hooks';
import {get, type Problem} from '../api/client';
import {ended, type Job} from '../api/types';
import {connected} from '../live/live';
import {href} from '../router';
import {allJobs, loadFault, loaded, revision} from '../store/jobs';
import {Empty, Fault, Loading, Progress, StatusBadge} from '../ui/basics';
import {ago, clock, jobName, number} from '../ui/format';
import {isSearch, searched, strength, strengthText, STRENGTHS, trialOf, type Table} from './search/table';
import './search.css';

const SHOWN_MORE = 50;

interface Outcome {
    chosen: string;
    loss: string;
}

// Of searches that have ended nothing changes any more.
const outcomes = new Map<string, Outcome>();

async function outcomeOf(id: string): Promise<Outcome> {
    const table = await get<Table>(`v1/jobs/${encodeURIComponent(id)}/tuning`);
    const trial = trialOf(table, table.chosen);
    return trial ? {chosen: strengthText(trial, searched(table)), loss: `${number(trial.mean_data_loss)}${
        trial.standard_error === null ? '' : ` ± ${number(trial.standard_error, 2)}`}`} : {chosen: 'none', loss: '–'};
}

// Reads what is missing; a state only to draw anew.
function useOutcomes(jobs: Job[]): void {
    const [, draw] = useState(0);
    const missing = jobs.filter(each => ended(each.status) && !outcomes.has(each.id)).map(each => each.id).join();
    useEffect(() => {
        let gone = false;
        void (async () => {
            for (const id of missing.split(',').filter(Boolean)) {
                if (gone)
                    return;
                const outcome = await outcomeOf(id).catch((fault: Problem) => fault.status && {chosen: '–', loss: '–'});
                if (!outcome)
                    return; // the server is away
                outcomes.set(id, outcome);
                draw(count => count + 1);
            }
        })();
        return () => void (gone = true);
    }, [missing, connected.value]);
}

type Asked = number[] | {min: number | string; max: number | string; count?: number};

// "l2 from 1e-6 to 0.1, 16 strengths"
function askedText(job: Job): string {
    const tune = {...(job.spec.tune as Record<string, Asked>), ...(job.resolved?.tune as Record<string, Asked> | undefined)};
    return STRENGTHS.filter(name => tune[name]).map(name => {
        const asked = tune[name]!;
        if (Array.isArray(asked))
            return `${name}: ${asked.length > 6 ? `${asked.length} strengths` : asked.map(strength).join(', ')}`;
        const end = (value: number | string) => (typeof value === 'number' ? strength(value) : value);
        return `${name} from ${end(asked.min)} to ${end(asked.max)}, ${asked.count ?? 16} strengths`;
    }).join('; ');
}

function Row({job}: {job: Job}) {
    const trials = job.progress.trials;
    const outcome = outcomes.get(job.id);
    return <tr>
        <td class="wrap"><a href={href(['tuning', job.id])}>{jobName(job)}</a></td>
        <td><StatusBadge status={job.status} /></td>
        <td>{ended(job.status) ? `${trials?.done ?? 0} of ${trials?.total ?? 0}`
            : <><Progress fraction={job.progress.fraction} label={jobName(job)} />{' '}
                {trials ? `${trials.done} of ${trials.total}` : ''}</>}</td>
        <td class="strengths">{askedText(job)}</td>
        <td>{outcome ? outcome.chosen : ended(job.status) ? '…' : <span class="soft">not yet</span>}</td>
        <td class="number">{outcome ? outcome.loss : '–'}</td>
        <td class="wrap">{job.dataset ? job.dataset.name : 'inline'}</td>
        <td title={clock(job.created_at)}>{ago(job.created_at)}</td>
    </tr>;
}

function What() {
    return <>
        <p>A search trains one model with many strengths of a penalty, each on several folds of the rows, and chooses
            the strength by its loss on rows that were not trained on.</p>
        <p>It is a job with a <code>tune</code> section: <code>{'"tune": {"l2": {"min": 1e-6, "max": 0.1}}'}</code></p>
    </>;
}

export function TuningPage() {
    void revision.value;
    const [count, setCount] = useState(SHOWN_MORE);
    const searches = allJobs().filter(isSearch);
    const shown = searches.slice(0, count);
    useOutcomes(shown);
    return <>
        <div class="title-row"><h1>Tuning</h1><a class="button primary" href="#/new">New search</a></div>
        {loadFault.value && loaded.value === 'no' && <Fault fault={loadFault.value} />}
        {loaded.value === 'no' ? !loadFault.value && <Loading what="searches" />
            : !searches.length ? <Empty title="No searches yet"><What /></Empty>
                : <>
                    <p class="soft">Which strength of a penalty? Each search trains many, and tells how sure one can be.</p>
                    <div class="panel scroll" tabIndex={0} role="group" aria-label="Searches, a table that scrolls">
                        <table class="search-list">
                            <thead><tr><th scope="col">Search</th><th scope="col">Status</th><th scope="col">Trials</th>
                                <th scope="col">Searched</th><th scope="col">Chosen</th>
                                <th scope="col" class="number">Its loss</th><th scope="col">Data</th>
                                <th scope="col">Made</th></tr></thead>
                            <tbody>{shown.map(job => <Row key={job.id} job={job} />)}</tbody>
                        </table>
                    </div>
                    {searches.length > count && <p><button onClick={() => setCount(count + SHOWN_MORE)}>
                        Show more of {searches.length}</button></p>}
                </>}
    </>;
}
