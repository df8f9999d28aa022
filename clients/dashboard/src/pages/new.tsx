// A new job: the form on the left, the same spec as JSON on the right, and what the server thinks of
// it while it is written.
import {useEffect, useState} from 'preact/hooks';
import './datasets.css';
import './new.css';
import './new/side.css';
import {request} from '../api/client';
import type {Job} from '../api/types';
import {amend, go, href, place} from '../router';
import {put as putJob} from '../store/jobs';
import {copy, Fault, Loading, Panel, Tabs} from '../ui/basics';
import {curl} from '../ui/curl';
import {safeName, save} from '../ui/save';
import {complain, say} from '../ui/toast';
import {ChooseFiles, DropAnywhere} from './datasets/drop';
import {readDataset, readList} from './datasets/store';
import {take} from './datasets/upload';
import {attend, noData, realFaults, submit} from './new/check';
import {before, begin, EMPTY, origin, parseFault, set, spec, takeBack, text, written} from './new/draft';
import {Editor} from './new/editor';
import {isObject, parse, type JsonObject} from './new/json';
import {readSchema, schema, schemaFault} from './new/schema';
import {Naming, Sections} from './new/sections';
import {STARTS, startFrom} from './new/starts';
import {show, Submit, Verdict} from './new/verdict';

function download(): void {
    const {name} = spec.peek();
    save(`${safeName(typeof name === 'string' ? name : '') || 'job'}.json`, [text.peek().replace(/\n?$/, '\n')],
        'application/json');
}

// A spec is small; what is larger is data under the wrong name.
const SPEC_BYTES = 16 * 1024 * 1024;

async function load(file: File): Promise<void> {
    if (file.size > SPEC_BYTES) {
        complain(new Error(`${file.name} is too large for a spec`));
        return;
    }
    try {
        begin(new TextDecoder('utf-8', {fatal: true}).decode(await file.arrayBuffer()).trimEnd());
        say(`${file.name} loaded`);
    } catch (fault) {
        complain(fault instanceof TypeError ? new Error(`${file.name} is not UTF-8: convert the file`) : fault);
    }
}

function takeFiles(files: File[]): void {
    for (const file of files.filter(each => /\.json$/i.test(each.name)))
        void load(file);
    const data = files.filter(each => !/\.json$/i.test(each.name));
    if (!data.length)
        return;
    take(data);
    amend({view: null});
    requestAnimationFrame(() => document.querySelector('.uploads')?.scrollIntoView({block: 'center'}));
}

// ?clone=JOB, ?spec=JSON and ?dataset=ID set the draft once and leave the address. A link only writes:
// nothing starts before somebody has read it and presses the button.
async function arrive(clone: string | null, given: string | null, dataset: string | null): Promise<void> {
    amend({clone: null, spec: null, dataset: null});
    try {
        if (given) {
            const {value} = parse(given);
            begin(isObject(value) ? written(value) : given);
        }
        if (clone) {
            const job = await request<Job>('GET', `v1/jobs/${encodeURIComponent(clone)}`);
            begin(written(job.spec as JsonObject), job.id);
        }
        if (dataset) {
            const {name} = await readDataset(dataset);
            const now = spec.peek().data;
            if (!isObject(now) || (now.dataset !== name && now.dataset !== dataset)) {
                const old = text.peek();
                set(['data'], {...(isObject(now) && now.validation !== undefined ? {validation: now.validation} : {}), dataset: name});
                before.value = isObject(now) && now.dataset !== undefined ? old : null;
            }
        }
    } catch (fault) {
        complain(fault);
    }
}

async function start(): Promise<void> {
    const job = await submit();
    if (!job) {
        const [first] = realFaults.peek();
        if (first)
            show(first.pointer ?? '');
        return;
    }
    putJob(job);
    go(['jobs', job.id]);
}

function Starts() {
    return <div class="starts" role="group" aria-label="Starting points"><span class="soft">Start from</span>
        {STARTS.map(each => <button type="button" key={each.title} class="small" title={each.help}
            onClick={() => startFrom(each)}>{each.title}</button>)}
        <button type="button" class="small" disabled={text.value === EMPTY} onClick={() => begin(EMPTY)}>Empty</button>
    </div>;
}

function Put() {
    return before.value === null && !origin.value ? null : <p class="note origin" role="status">
        {origin.value && <span>Begun as a copy of <a href={href(['jobs', origin.value])}>…{origin.value.slice(-8)}</a>.</span>}
        {before.value !== null && <span>Your earlier draft is put aside. <button type="button" class="small" onClick={takeBack}>
            Bring it back</button></span>}
        <button type="button" class="icon-button" aria-label="Dismiss this note" onClick={() => {
            before.value = null;
            origin.value = '';
        }}>×</button></p>;
}

function Form() {
    const bad = parseFault.value;
    if (schemaFault.value)
        return <Fault fault={schemaFault.value} />;
    if (!schema.value)
        return <Loading what="the form" />;
    return <>
        {bad && <div class="note form-note" role="status">The JSON has a fault in line {bad.line}: the form waits until it is
            mended. <button type="button" class="small" onClick={() => begin(written(spec.peek()))}>Back to what it said before</button></div>}
        <fieldset class="form" disabled={!!bad}><legend class="hidden">The job as a form</legend><Naming /><Sections /></fieldset>
    </>;
}

function useWide(): boolean {
    const query = '(min-width: 1080px)';
    const [wide, setWide] = useState(() => matchMedia(query).matches);
    useEffect(() => {
        const watch = matchMedia(query), look = () => setWide(watch.matches);
        watch.addEventListener('change', look);
        return () => watch.removeEventListener('change', look);
    }, []);
    return wide;
}

export function NewPage() {
    const {query} = place.value;
    const clone = query.get('clone'), given = query.get('spec'), dataset = query.get('dataset');
    const wide = useWide();
    const view = query.get('view') === 'json' ? 'json' : 'form';
    useEffect(attend, []);
    useEffect(() => {
        void readSchema();
        void readList();
        const key = (event: KeyboardEvent) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.repeat) {
                event.preventDefault();
                if (!noData.peek())
                    void start();
            }
        };
        addEventListener('keydown', key);
        return () => removeEventListener('keydown', key);
    }, []);
    useEffect(() => {
        if (clone || given || dataset)
            void arrive(clone, given, dataset);
    }, [clone, given, dataset]);
    const json = <Panel title="JSON" class="json-panel" aside={<>
        <button type="button" class="small" onClick={() => void copy(curl('v1/jobs', text.peek()), 'curl command')}>Copy as curl</button>
        <button type="button" class="small" onClick={download}>Download</button>
        <ChooseFiles class="small" accept=".json,application/json" multiple={false} take={files => void load(files[0]!)}>Load</ChooseFiles>
        <button type="button" class="small" disabled={!!parseFault.value || written(spec.value) === text.value}
            onClick={() => set([], parse(text.value).value)}>Tidy</button></>}><Editor /></Panel>;
    return <div class="new-page">
        <DropAnywhere take={takeFiles} what="Drop: data become a dataset, a .json file becomes the spec" />
        <div class="title-row"><h1>New job</h1><Starts /></div>
        <Put />
        {!wide && <Tabs label="How to write it" chosen={view} onChoose={id => amend({view: id === 'json' ? id : null})}
            of={[{id: 'form', title: 'Form'}, {id: 'json', title: 'JSON'}]} />}
        <div class="new-layout">
            {(wide || view === 'form') && <div class="form-side" {...(wide ? {} : {role: 'tabpanel', 'aria-labelledby': 'tab-form'})}><Form /></div>}
            <div class="json-side">
                {(wide || view === 'json') && <div {...(wide ? {} : {role: 'tabpanel', 'aria-labelledby': 'tab-json'})}>{json}</div>}
                <Panel title="Check" class="check-panel"><Verdict /><Submit onSubmit={() => void start()} /></Panel>
            </div>
        </div>
    </div>;
}
