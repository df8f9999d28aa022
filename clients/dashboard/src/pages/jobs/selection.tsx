// Which jobs are selected, and what can be done to all of them.
import {signal} from '@preact/signals';
import type {Job} from '../../api/types';
import {go} from '../../router';
import {ids, jobOf, revision} from '../../store/jobs';
import {actAll, ACTIONS, allowed, editJobs, removeJobs, WORDS} from '../../ui/actions';

export const selected = signal<ReadonlySet<string>>(new Set());

export const selectAll = (all: string[]): void => {
    selected.value = new Set(all);
};

export function select(more: string[]): void {
    selected.value = new Set([...selected.peek(), ...more]);
}

export function toggle(id: string): void {
    const next = new Set(selected.peek());
    if (!next.delete(id))
        next.add(id);
    selected.value = next;
}

// All from one to another, in the order in which they are shown.
export function range(all: string[], from: string, to: string): void {
    const [a, b] = [all.indexOf(from), all.indexOf(to)];
    if (a >= 0 && b >= 0)
        select(all.slice(Math.min(a, b), Math.max(a, b) + 1));
}

// Those between the first and the last selected that are not: what Shift does for a mouse.
function gaps(all: string[], chosen: ReadonlySet<string>): string[] {
    const on = all.map(id => chosen.has(id));
    return all.slice(on.indexOf(true) + 1, Math.max(0, on.lastIndexOf(true))).filter(id => !chosen.has(id));
}

// Deleted jobs are no longer selected.
ids.subscribe(() => {
    if ([...selected.peek()].some(id => !jobOf(id)))
        selected.value = new Set([...selected.peek()].filter(id => jobOf(id)));
});

export const COMPARED_MAX = 100;

export function SelectionBar({shown}: {shown: string[]}) {
    void revision.value; // states change
    const chosen = [...selected.value];
    const jobs = chosen.map(id => jobOf(id)?.peek()).filter(Boolean) as Job[];
    const fit = (action: Parameters<typeof allowed>[1]) => jobs.filter(job => allowed(job, action)).map(job => job.id);
    const inView = new Set(shown);
    const hidden = chosen.filter(id => !inView.has(id)).length;
    const gone = fit('delete');
    const between = gaps(shown, selected.value);
    return <div class="selection" role="region" aria-label="Selected jobs">
        <strong role="status">{chosen.length.toLocaleString('en')} selected{hidden > 0 && <span
            class="soft">, {hidden} not shown</span>}</strong>
        <div class="buttons">
            {ACTIONS.map(action => {
                const those = fit(action);
                return those.length > 0 && <button key={action} class={`small ${action === 'cancel' ? 'danger' : ''}`}
                    title={WORDS[action].help} onClick={() => void actAll(those, action)}>
                    {WORDS[action].title}{those.length < chosen.length && ` ${those.length}`}</button>;
            })}
            <button class="small" disabled={chosen.length > COMPARED_MAX}
                title={chosen.length > COMPARED_MAX ? `At most ${COMPARED_MAX} at once` : ''}
                onClick={() => go(['compare'], {jobs: chosen.join(',')})}>Compare</button>
            {between.length > 0 && <button class="small" title="Select all between the first and the last selected"
                onClick={() => select(between)}>Between {between.length}</button>}
            {chosen.length === 1 && <button class="small"
                onClick={() => go(['new'], {clone: chosen[0]!})}>Clone</button>}
            <button class="small" onClick={() => editJobs(chosen)}>{chosen.length === 1 ? 'Edit' : 'Labels'}</button>
            {gone.length > 0 && <button class="small danger" onClick={() => void removeJobs(gone)}>
                Delete{gone.length < chosen.length && ` ${gone.length}`}</button>}
            <button class="small" onClick={() => selectAll([])}>Clear</button>
        </div>
    </div>;
}
