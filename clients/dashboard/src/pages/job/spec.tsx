// The job's spec: with every default filled in, and as it was sent; and the line that sends it again.
import {useEffect, useState} from 'preact/hooks';
import {get, request, send} from '../../api/client';
import type {Job} from '../../api/types';
import {amend, place} from '../../router';
import {copy, Panel} from '../../ui/basics';
import {exact} from '../../ui/format';
import {complain} from '../../ui/toast';
import {curl, member} from '../../ui/curl';
import {Json} from './json';
import {useRemote} from './remote';

// The spec as the server keeps it, to the character.
export async function sentSpec(job: Job): Promise<string> {
    const text = await (await send('GET', `v1/jobs/${encodeURIComponent(job.id)}`)).text();
    return member(text, 'spec') ?? JSON.stringify(job.spec);
}

export const submitLine = (spec: string): string => curl('v1/jobs', spec);

export async function copyCurl(job: Job): Promise<void> {
    try {
        await copy(submitLine(await sentSpec(job)), 'The line that submits this job again is');
    } catch (fault) {
        complain(fault);
    }
}

function at(value: unknown, path: string): unknown {
    return path.split('/').slice(1).reduce<unknown>((inner, name) =>
        (inner && typeof inner === 'object' ? (inner as Record<string, unknown>)[name] : undefined), value);
}

// What the server makes of a spec that says nothing but the data.
async function defaults(job: Job, signal: AbortSignal): Promise<Record<string, unknown> | null> {
    const data = job.resolved?.data as Record<string, unknown> | undefined;
    if (!job.dataset || !data)
        return null;
    await get(`v1/datasets/${encodeURIComponent(job.dataset.id)}`, {signal});
    const told = await request<{resolved: Record<string, unknown>}>('POST', 'v1/jobs/validate',
        {body: {data: {dataset: job.dataset.id, target: data.target}}, signal});
    return told.resolved;
}

const UNMARKED = ['/name', '/labels', '/data/dataset', '/data/target', '/priority'];

export function Spec({job}: {job: Job}) {
    const view = place.value.query.get('spec') === 'sent' ? 'sent' : 'resolved';
    const normal = useRemote(view === 'resolved' && job.resolved ? job.id : null, signal => defaults(job, signal));
    const [line, setLine] = useState('');
    useEffect(() => {
        let over = false;
        sentSpec(job).then(spec => !over && setLine(submitLine(spec)), () => {});
        return () => void (over = true);
    }, [job.id]);
    const mark = (path: string, value: unknown) => {
        if (!normal.value || UNMARKED.some(each => path === each || path.startsWith(`${each}/`)))
            return null;
        const other = at(normal.value, path);
        if (JSON.stringify(other) === JSON.stringify(value))
            return null;
        if (other === undefined)
            return at(normal.value, path.split('/').slice(0, 2).join('/')) === undefined || path.startsWith('/model/layers')
                ? {title: 'Not so by default'} : {title: 'Not there by default'};
        const text = exact(other);
        return {title: `Default: ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`};
    };
    const value = view === 'sent' ? job.spec : job.resolved;
    return <div class="stack">
        <Panel title={view === 'sent' ? 'Spec as sent' : 'Resolved spec'} aside={<>
            <label>Show <select value={view} onChange={event => amend({spec: event.currentTarget.value === 'sent' ? 'sent' : null})}>
                <option value="resolved">resolved: with all defaults</option><option value="sent">as sent</option></select></label>
            <button class="small" onClick={() => (view === 'sent' ? sentSpec(job).then(text => copy(text, 'Spec'), complain)
                : void copy(JSON.stringify(value, null, 2), 'Resolved spec'))}>Copy</button></>}>
            {value ? <Json value={value} mark={view === 'sent' ? () => null : mark}
                label={view === 'sent' ? 'Spec as sent' : 'Resolved spec'} />
                : <p class="soft">The server has not resolved it.</p>}
            {view === 'resolved' && normal.value && <p class="chart-note"><span class="sign">●</span> differs from the default for
                this dataset.</p>}
        </Panel>
        <Panel title="Submit it again" aside={<button class="small" disabled={!line}
            onClick={() => void copy(line, 'The line is')}>Copy as curl</button>}>
            <pre class="command" tabIndex={0} role="group" aria-label="Command line">{line.length > 20_000
                ? `${line.slice(0, 20_000)}…` : line || '…'}</pre>
            <p class="chart-note">For sh, bash or zsh. A server with a token also
                wants <code>-H "Authorization: Bearer $OCKHAM_TOKEN"</code>.</p>
        </Panel>
    </div>;
}
