// Name, labels and priority of one job, or labels and priority of several. What several do not have
// in common stays as it is unless something is written there.
import {useState} from 'preact/hooks';
import {request} from '../api/client';
import {readers} from '../api/pool';
import type {Job} from '../api/types';
import {jobOf, put} from '../store/jobs';
import {Fault} from './basics';
import {Dialog} from './dialog';
import {jobName} from './format';
import {say} from './toast';
import './edit.css';

interface Row {
    key: string;
    value: string;
    mixed: boolean; // several values, or not on every job
    gone: boolean;
    fresh: boolean; // added here
}

function rowsOf(jobs: Job[]): Row[] {
    const keys = new Set(jobs.flatMap(job => Object.keys(job.labels ?? {})));
    return [...keys].sort().map(key => {
        const values = new Set(jobs.map(job => job.labels?.[key]));
        const mixed = values.size > 1;
        return {key, value: mixed ? '' : [...values][0] ?? '', mixed, gone: false, fresh: false};
    });
}

function labelsOf(job: Job, rows: Row[]): Record<string, string> {
    const labels = {...job.labels};
    for (const row of rows) {
        const key = row.key.trim();
        if (row.gone)
            delete labels[key];
        else if (key && !(row.mixed && row.value === ''))
            labels[key] = row.value;
    }
    return labels;
}

export function EditJobs({ids, onClose}: {ids: string[]; onClose: () => void}) {
    const [jobs] = useState(() => ids.map(id => jobOf(id)?.peek()).filter(Boolean) as Job[]);
    const [rows, setRows] = useState(() => rowsOf(jobs));
    const single = jobs.length === 1 ? jobs[0]! : null;
    const [name, setName] = useState(single?.name ?? '');
    const same = new Set(jobs.map(job => job.priority)).size === 1;
    const [priority, setPriority] = useState(same ? String(jobs[0]?.priority ?? 0) : '');
    const [fault, setFault] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const change = (k: number, part: Partial<Row>) => setRows(rows.map((row, j) => (j === k ? {...row,
        ...part} : row)));

    const save = async () => {
        setBusy(true);
        setFault(null);
        const faults: unknown[] = [];
        await Promise.all(jobs.map(job => readers.run(async () => {
            const now = jobOf(job.id)?.peek() ?? job;
            const labels = labelsOf(now, rows);
            const body: Record<string, unknown> = {};
            if (JSON.stringify(labels) !== JSON.stringify(now.labels))
                body.labels = labels;
            if (single && name.trim() !== (now.name ?? ''))
                body.name = name.trim() || null;
            if (priority !== '' && Number(priority) !== now.priority)
                body.priority = Number(priority);
            if (Object.keys(body).length)
                put(await request<Job>('PATCH', `v1/jobs/${encodeURIComponent(job.id)}`, {body}));
        }).catch(why => faults.push(why))));
        setBusy(false);
        if (faults.length) {
            setFault(faults[0]);
            return;
        }
        say(single ? 'Saved' : `Saved ${jobs.length} jobs`);
        onClose();
    };

    return <Dialog title={single ? `Edit ${jobName(single)}` : `Edit ${jobs.length} jobs`} onClose={onClose}>
        <form class="edit-jobs stack" onSubmit={event => {
            event.preventDefault();
            void save();
        }}>
            {single && <label class="field">Name
                <input value={name} maxLength={200} onInput={event => setName(event.currentTarget.value)} /></label>}
            <fieldset>
                <legend>Labels</legend>
                {rows.map((row, k) => <div class={`edit-label ${row.gone ? 'gone' : ''}`} key={k}>
                    {row.fresh
                        ? <input value={row.key} placeholder="key" aria-label={`Key of label ${k + 1}`} autofocus
                            onInput={event => change(k, {key: event.currentTarget.value})} />
                        : <span class="edit-key" title={row.key}>{row.key}</span>}
                    <input value={row.value} disabled={row.gone} placeholder={row.mixed ? 'differs' : 'value'}
                        aria-label={`Value of ${row.key || `label ${k + 1}`}`}
                        onInput={event => change(k, {value: event.currentTarget.value})} />
                    <button type="button" class="icon-button" aria-pressed={row.gone}
                        aria-label={`Remove ${row.key || `label ${k + 1}`}`} title={row.gone ? 'Keep it' : 'Remove'}
                        onClick={() => (row.fresh ? setRows(rows.filter(each => each !== row))
                            : change(k, {gone: !row.gone}))}>
                        <span aria-hidden="true">{row.gone ? '↺' : '×'}</span></button>
                </div>)}
                <button type="button" class="small" onClick={() =>
                    setRows([...rows, {key: '', value: '', mixed: false, gone: false,
                        fresh: true}])}>Add a label</button>
            </fieldset>
            <label class="field">Priority
                <input type="number" min={-1000} max={1000} step={1} value={priority}
                    placeholder={same ? '' : 'differs'} onInput={event => setPriority(event.currentTarget.value)} />
                <span class="help">Queued jobs with a higher one start first.</span></label>
            {fault !== null && <Fault fault={fault} />}
            <div class="buttons end">
                <button type="button" onClick={onClose}>Close</button>
                <button class="primary" disabled={busy}>Save</button>
            </div>
        </form>
    </Dialog>;
}
