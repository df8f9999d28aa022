// The server's interface, readable: made from the /openapi.json that this server serves, so that it is
// always this server's.
import {useEffect, useState} from 'preact/hooks';
import {get} from '../api/client';
import {amend, place} from '../router';
import {copy, Empty, Fault, Loading} from '../ui/basics';
import {operations, groupsOf, type Document, type Operation} from './api/operations';
import './api.css';

function Parameters({of}: {of: Operation}) {
    if (!of.parameters.length)
        return null;
    return <>
        <h4>Parameters</h4>
        <dl class="parameters">{of.parameters.map(each => <div key={`${each.in} ${each.name}`}>
            <dt><code>{each.name}</code> <span class="soft">{each.in}{each.required && each.in !== 'path' && ', required'}
                {each.type && `, ${each.type}`}</span></dt>
            <dd>{each.text}</dd>
        </div>)}</dl>
    </>;
}

function Endpoint({of}: {of: Operation}) {
    const curl = of.curl(document.baseURI.replace(/#.*$/, ''));
    return <details class="endpoint panel" id={`op-${of.id}`} open={place.value.query.get('open') === of.id}
        onToggle={event => {
            const open = event.currentTarget.open;
            if (open !== (place.peek().query.get('open') === of.id))
                amend({open: open ? of.id : null});
        }}>
        <summary><span class={`method ${of.method}`}>{of.method.toUpperCase()}</span>
            <code class="path">{of.path}</code><span class="what">{of.summary}</span></summary>
        <Parameters of={of} />
        {of.body.length > 0 && <><h4>Body</h4><p><code>{of.body.join(', ')}</code></p></>}
        <h4>Answers</h4>
        <dl class="parameters">{of.answers.map(each => <div key={each.status}>
            <dt><code>{each.status}</code> <span class="soft">{each.types.join(', ')}</span></dt>
            <dd>{each.text}</dd></div>)}</dl>
        <div class="curl"><pre tabIndex={0} aria-label={`curl for ${of.id}`}>{curl}</pre>
            <button class="small" aria-label={`Copy the curl line of ${of.id}`} onClick={() => void copy(curl, 'The line')}>
                Copy</button></div>
    </details>;
}

export function ApiPage() {
    const [found, setFound] = useState<Operation[] | null>(null);
    const [fault, setFault] = useState<unknown>(null);
    useEffect(() => void get<Document>('openapi.json').then(document => setFound(operations(document)), setFault), []);
    const search = place.value.query.get('q') ?? '';
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = (found ?? []).filter(each => words.every(word => each.text.includes(word)));
    return <>
        <div class="title-row"><h1>API</h1>
            <div class="buttons"><a class="button small" href="openapi.json">openapi.json</a>
                <a class="button small" href="v1/schema/job">Schema of a job</a></div></div>
        <p class="soft">Everything that this page does, any program can do. All is JSON; times are UTC; the server makes the ids.</p>
        <label class="field api-search">Search
            <input type="search" value={search} placeholder="events, csv, model…"
                onInput={event => amend({q: event.currentTarget.value})} /></label>
        {fault !== null && <Fault fault={fault} />}
        {!found && fault === null && <Loading what="the interface" />}
        {found && <p class="hidden" role="status">{shown.length} of {found.length} endpoints</p>}
        {found && !shown.length && <Empty title="Nothing is called so" />}
        {groupsOf(shown).map(([title, each]) => <section key={title} aria-label={title} class="api-group">
            <h2>{title}</h2>{each.map(one => <Endpoint key={one.id} of={one} />)}</section>)}
    </>;
}
