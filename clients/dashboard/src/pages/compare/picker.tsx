// A dialog that finds runs among all jobs and takes them into the comparison or out of it.
import {useState} from 'preact/hooks';
import {allJobs, ids as allIds, loaded} from '../../store/jobs';
import {Labels, StatusBadge} from '../../ui/basics';
import {Dialog} from '../../ui/dialog';
import {ago, jobName, number} from '../../ui/format';
import {matches, wordsOf} from '../jobs/filter';
import {lossBest, lossNow} from '../jobs/figures';
import {RUNS_MAX} from './state';

const SHOWN = 100;

export function Picker({chosen, onChange,
    onClose}: {chosen: string[]; onChange: (ids: string[]) => void; onClose: () => void}) {
    const [text, setText] = useState('');
    const [now, setNow] = useState(chosen);
    void allIds.value;
    const on = new Set(now);
    const words = wordsOf(text);
    const found = allJobs().filter(job => matches(job, words));
    const first = found.slice(0, SHOWN);
    const change = (ids: string[]) => {
        const few = ids.slice(0, RUNS_MAX);
        setNow(few);
        onChange(few);
    };
    const fresh = first.filter(job => !on.has(job.id)).map(job => job.id);
    return <Dialog title="Runs to compare" onClose={onClose}>
        <div class="picker">
            <input type="search" aria-label="Search jobs" placeholder="Search name, id, dataset, label"
                value={text} autofocus
                onInput={event => setText(event.currentTarget.value)} />
            <p class="soft" role="status">{found.length} found, {now.length} of at most {RUNS_MAX} chosen
                {loaded.value !== 'all' && ', loading the rest…'}</p>
            <ul tabIndex={0} aria-label="Jobs">{first.map(job => <li key={job.id}><label>
                <input type="checkbox" checked={on.has(job.id)} disabled={!on.has(job.id) && now.length >= RUNS_MAX}
                    onChange={() => change(on.has(job.id) ? now.filter(id => id !== job.id) : [...now, job.id])} />
                <span class="clip">{jobName(job)}</span>
                <StatusBadge status={job.status} />
                <span class="number">{number(lossBest(job) ?? lossNow(job))}</span>
                <span class="soft second">{job.dataset?.name ?? 'inline rows'}, {ago(job.created_at)} <Labels
                    labels={job.labels} /></span>
            </label></li>)}</ul>
            {found.length > first.length && <p class="soft">The newest {SHOWN} are shown; search for others.</p>}
            <div class="buttons end">
                <button disabled={!fresh.length || now.length >= RUNS_MAX}
                    onClick={() => change([...now, ...fresh])}>Add all shown</button>
                <button disabled={!now.length} onClick={() => change([])}>Remove all</button>
                <button class="primary" onClick={onClose}>Done</button>
            </div>
        </div>
    </Dialog>;
}
