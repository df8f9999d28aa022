// What can be done to jobs: by functions, and as buttons for one job. A job's new state comes by the
// events; until the server has answered, its buttons rest.
import {signal} from '@preact/signals';
import {Problem, request} from '../api/client';
import {Pool} from '../api/pool';
import {ended, type Job} from '../api/types';
import {connected} from '../live/live';
import {href} from '../router';
import {drop, fetchJob, forget, jobOf} from '../store/jobs';
import {confirm, show} from './dialog';
import {EditJobs} from './edit';
import {jobName} from './format';
import {Menu, type MenuItem} from './menu';
import {complain, say} from './toast';

export type Action = 'pause' | 'resume' | 'stop' | 'cancel';

interface Word {
    title: string;
    doing: string;
    help: string;
}

export const WORDS: Record<Action, Word> = {
    pause: {title: 'Pause', doing: 'Pausing', help: 'Makes room for others; a checkpoint keeps all'},
    resume: {title: 'Resume', doing: 'Resuming', help: 'Goes on where it paused'},
    stop: {title: 'Stop', doing: 'Stopping', help: 'Ends it now and keeps the best model'},
    cancel: {title: 'Cancel', doing: 'Cancelling', help: 'Ends it now and keeps no model'},
};
export const ACTIONS = Object.keys(WORDS) as Action[];

export function allowed(job: Job, action: Action | 'delete'): boolean {
    switch (action) {
    case 'pause':
        return job.status === 'queued' || job.status === 'running';
    case 'resume':
        return job.status === 'paused';
    case 'stop': // what has not begun has nothing to keep
        return job.status === 'running' || (job.status === 'paused' && !!job.started_at);
    case 'cancel':
        return !ended(job.status);
    case 'delete':
        return ended(job.status);
    }
}

export const cloneHref = (id: string): string => href(['new'], {clone: id});
export const compareHref = (ids: string[]): string => href(['compare'], {jobs: ids.join(',')});

// Jobs that wait for the server's answer.
const busy = signal<ReadonlySet<string>>(new Set());
const pool = new Pool(4);

function mark(ids: string[], on: boolean): void {
    const next = new Set(busy.peek());
    for (const id of ids)
        if (on)
            next.add(id);
        else
            next.delete(id);
    busy.value = next;
}

const nameOf = (id: string): string => {
    const job = jobOf(id)?.peek();
    return job ? jobName(job) : `…${id.slice(-8)}`;
};
export const several = (count: number): string => (count === 1 ? '1 job' : `${count.toLocaleString('en')} jobs`);

// Does `one` to each, a few at a time, and says in one sentence how it went. True: all went well.
async function each(ids: string[], done: (what: string) => string,
    one: (id: string) => Promise<unknown>): Promise<boolean> {
    mark(ids, true);
    const faults: unknown[] = [];
    await Promise.all(ids.map(id => pool.run(() => one(id)).catch(fault => faults.push(fault))));
    mark(ids, false);
    const good = ids.length - faults.length;
    if (ids.length === 1 && faults.length)
        complain(faults[0]);
    else if (faults.length)
        complain(new Error(`${several(faults.length)} of ${ids.length}: ${(faults[0] as Problem).message}`
            + (good ? `. ${done(several(good))}.` : '')));
    else if (good)
        say(done(ids.length === 1 ? nameOf(ids[0]!) : several(good)));
    return !faults.length;
}

// The same for many: without those whose state forbids it. A cancelled job keeps nothing, so what
// has begun is asked for first.
export async function actAll(ids: string[], action: Action): Promise<boolean> {
    const jobs = ids.map(id => jobOf(id)?.peek());
    const fit = ids.filter((_, k) => !jobs[k] || allowed(jobs[k]!, action));
    const begun = jobs.filter(job => job && job.started_at && allowed(job, action)).length;
    if (!fit.length)
        return true;
    if (action === 'cancel' && (begun || fit.length > 1)) {
        const what = fit.length === 1 ? nameOf(fit[0]!) : several(fit.length);
        const text = fit.length === 1 ? 'It ends now and keeps no model. Stop would keep its best one.'
            : 'They end now and keep no models. Stop would keep their best ones.';
        if (!await confirm(`Cancel ${what}?`, text, fit.length === 1 ? 'Cancel the job' : 'Cancel the jobs'))
            return false;
    }
    return each(fit, what => `${WORDS[action].doing} ${what}`, async id => {
        await request('POST', `v1/jobs/${encodeURIComponent(id)}/${action}`);
        if (!connected.peek())
            await fetchJob(id);
    });
}

export const act = (id: string, action: Action): Promise<boolean> => actAll([id], action);

// Asks, and deletes those that have ended, with their models. True: they are gone.
export async function removeJobs(ids: string[]): Promise<boolean> {
    const fit = ids.filter(id => {
        const job = jobOf(id)?.peek();
        return !job || allowed(job, 'delete');
    });
    if (!fit.length)
        return false;
    const names = new Map(fit.map(id => [id, nameOf(id)]));
    const title = fit.length === 1 ? `Delete ${names.get(fit[0]!)}?` : `Delete ${several(fit.length)}?`;
    const text = fit.length === 1 ? 'Its model, epochs and events go with it.'
        : `${several(fit.length)} go with their models, epochs and events.`;
    if (!await confirm(title, text, fit.length === 1 ? 'Delete' : `Delete ${several(fit.length)}`))
        return false;
    return each(fit, what => `Deleted ${fit.length === 1 ? names.get(fit[0]!) : what}`, async id => {
        forget(id);
        await request('DELETE', `v1/jobs/${encodeURIComponent(id)}`);
        drop(id);
    });
}

export const removeJob = (id: string): Promise<boolean> => removeJobs([id]);

// Opens the dialog for name, labels and priority of one job, for labels and priority of several.
export function editJobs(ids: string[]): void {
    show(close => <EditJobs ids={ids} onClose={close} />);
}

const SIGNS: Record<Action, string> = {pause: '❚❚', resume: '▶', stop: '■', cancel: '✕'};

// The buttons of one job. `compact`: two signs and a menu, for a row of a table. onRemoved is called
// when the job has been deleted: its page leads elsewhere then.
export function JobActions({job, compact, onRemoved}: {job: Job; compact?: boolean; onRemoved?: () => void}) {
    const rests = busy.value.has(job.id);
    const fit = ACTIONS.filter(action => allowed(job, action));
    const remove = async () => {
        if (await removeJob(job.id))
            onRemoved?.();
    };
    const more = (): MenuItem[] => [
        ...(compact ? fit.map(action => ({title: WORDS[action].title, danger: action === 'cancel', disabled: rests,
            onChoose: () => void act(job.id, action)})) : []),
        {title: 'Clone', href: cloneHref(job.id), apart: !!compact && fit.length > 0},
        {title: 'Compare', href: compareHref([job.id])},
        {title: 'Edit name and labels', onChoose: () => editJobs([job.id])},
        ...(allowed(job, 'delete') ? [{title: 'Delete', danger: true, disabled: rests, apart: true,
            onChoose: () => void remove()}] : []),
    ];
    if (compact) {
        const main = fit.filter(action => action === 'pause' || action === 'resume');
        return <span class="job-actions compact">
            {main.map(action => <button key={action} class="icon-button" disabled={rests} tabIndex={-1}
                title={WORDS[action].title} aria-label={`${WORDS[action].title} ${jobName(job)}`}
                onClick={event => {
                    event.stopPropagation();
                    void act(job.id, action);
                }}><span aria-hidden="true">{SIGNS[action]}</span></button>)}
            <Menu label={`More for ${jobName(job)}`} items={more} tabIndex={-1}><span aria-hidden="true">⋯</span></Menu>
        </span>;
    }
    return <div class="buttons job-actions">
        {fit.map(action => <button key={action} class={action === 'cancel' ? 'danger' : ''} disabled={rests}
            title={WORDS[action].help} onClick={() => void act(job.id, action)}>
            <span aria-hidden="true">{SIGNS[action]}</span> {WORDS[action].title}</button>)}
        <a class="button" href={cloneHref(job.id)}>Clone</a>
        <a class="button" href={compareHref([job.id])}>Compare</a>
        <button onClick={() => editJobs([job.id])}>Edit</button>
        {allowed(job, 'delete') && <button class="danger" disabled={rests}
            onClick={() => void remove()}>Delete</button>}
    </div>;
}
