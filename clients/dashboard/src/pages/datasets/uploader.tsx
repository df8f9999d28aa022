// One upload from the dropped file to the dataset: what it will be called and how it is read, its
// progress, and what the server says of it, at the place that it is about.
import {useEffect, useState} from 'preact/hooks';
import type {ComponentChildren} from 'preact';
import type {Problem} from '../../api/client';
import {href} from '../../router';
import {bytes, duration, whole} from '../../ui/format';
import {defaultTarget, lineOf, validName} from './guess';
import {listed} from './store';
import {cancel, change, forget, pair, start, swap, unpair, uploads, type Options, type Upload} from './upload';

// Which of the fields a problem is about.
function placeOf(fault: Problem | null): keyof Options | 'name' | 'file' | null {
    if (!fault)
        return null;
    const {code, detail} = fault;
    if (code === 'name_taken' || code === 'invalid_name')
        return 'name';
    if (code === 'invalid_types' || detail.startsWith('types'))
        return 'types';
    if (detail.startsWith('there is no column') || /^target\b/.test(detail))
        return 'target';
    const named = (['missing', 'delimiter', 'header', 'format'] as const)
        .find(key => fault.errors.some(each => each.detail?.includes(key)) || detail.startsWith(key));
    return named ?? 'file';
}

function Field(props: {label: string; help?: string; wrong?: string | null; children: ComponentChildren}) {
    return <div class={`field ${props.wrong ? 'invalid' : ''}`}><label>{props.label}{props.children}</label>
        {props.wrong && <span class="wrong" role="alert">{props.wrong}</span>}
        {props.help && <span class="help">{props.help}</span>}</div>;
}

// The line of the file that the fault names.
function FaultyLine({upload}: {upload: Upload}) {
    const n = Number(/\bline (\d+)/.exec(upload.fault?.detail ?? '')?.[1] ?? 0);
    const [line, setLine] = useState<string | null>(null);
    useEffect(() => {
        setLine(null);
        if (n)
            void lineOf(upload.files[upload.part]!, n).then(setLine, () => {});
    }, [n, upload.fault]);
    return line === null ? null : <pre class="faulty-line" tabIndex={0} aria-label={`Line ${n} of the file`}>
        <span class="soft">{n}│ </span>{line}</pre>;
}

function Details({upload, wrong}: {upload: Upload; wrong: (key: string) => string | null}) {
    const {options} = upload;
    const set = (values: Partial<Options>) => change(upload.id, {options: {...options, ...values}});
    const text = (key: 'types' | 'missing', label: string, help: string, placeholder: string) =>
        <Field label={label} help={help} wrong={wrong(key)}><input type="text" value={options[key]}
            placeholder={placeholder} spellcheck={false} onInput={event => set({[key]: event.currentTarget.value})} /></Field>;
    const choice = (key: 'format' | 'delimiter' | 'header', label: string, of: [string, string][]) =>
        <Field label={label} wrong={wrong(key)}><select value={options[key]}
            onChange={event => set({[key]: event.currentTarget.value})}>
            {of.map(([value, name]) => <option key={value} value={value}>{name}</option>)}</select></Field>;
    const two = upload.files.length === 2;
    const told = Object.entries(options).filter(([key, value]) => value && key !== 'target').length;
    return <details class="more-fold" open={told > 0 || ['format', 'delimiter', 'header', 'types', 'missing'].some(wrong)}>
        <summary>How to read it{told ? `: ${told} told` : ': found from the file'}</summary>
        <div class="fields">
            {choice('format', 'Format', [['', 'from the content'], ...(two ? [] : [['csv', 'CSV'], ['tsv', 'TSV'],
                ['svmlight', 'svmlight']] as [string, string][]), ['npy', 'NPY'], ['idx', 'IDX']])}
            {!two && <>
                {choice('delimiter', 'Delimiter', [['', 'found'], [',', 'comma'], [';', 'semicolon'], ['tab', 'tab'],
                    ['|', 'bar'], ['space', 'space']])}
                {choice('header', 'Header', [['', 'found'], ['true', 'the first row has names'], ['false', 'no header']])}
                {text('types', 'Types', 'Over what fields look like: number, category or boolean.', 'zip:category,age:number')}
                {text('missing', 'Missing values', 'In place of ?, NA, N/A, NaN and null. Empty is always missing.', 'none,-999')}
            </>}
            <div class="tick"><label><input type="checkbox" checked={options.replace}
                onChange={event => set({replace: event.currentTarget.checked})} /> Replace a dataset of this name</label>
            <span class="help">Jobs keep the data they were started with.</span></div>
        </div>
    </details>;
}

function Proposal({upload}: {upload: Upload}) {
    const place = placeOf(upload.fault);
    const said = upload.fault ? upload.fault.detail || upload.fault.title : null;
    const wrong = (key: string) => (place === key ? said : null);
    const taken = validName(upload.name) ? listed(upload.name) : undefined;
    const {columns, options, files} = upload;
    const others = uploads.value.filter(each => each.id !== upload.id && each.files.length === 1
        && (each.phase === 'proposed' || each.phase === 'failed'));
    const nameFault = !validName(upload.name)
        ? '1 to 64 of A–Z a–z 0–9 . _ -, beginning with a letter or digit, and not with ds_ or job_.' : wrong('name');
    return <form onSubmit={event => {
        event.preventDefault();
        void start(upload.id);
    }}>
        {place === 'file' && <div class="fault" role="alert"><strong>{upload.fault!.title}</strong>: {upload.fault!.detail}
            {files.length === 2 && ` (${upload.part ? 'labels' : 'rows'}: ${files[upload.part]!.name})`}
            <FaultyLine upload={upload} /></div>}
        <div class="fields">
            <Field label="Name" wrong={nameFault} help={taken && !options.replace && taken.status !== 'incomplete'
                ? `There is one of this name (${whole(taken.rows)} rows). The same file again changes nothing; `
                    + 'another one needs “replace”.' : undefined}>
                <input type="text" value={upload.name} maxLength={64} spellcheck={false} autocomplete="off"
                    onInput={event => change(upload.id, {name: event.currentTarget.value})} /></Field>
            {files.length === 1 && <Field label="Target" wrong={wrong('target')} help={columns
                ? `A guess from the file's beginning: ${whole(columns.names.length)} columns, `
                    + (columns.header ? 'with a header.' : 'no header.')
                : 'A column’s name, or its position: 0 is the first, -1 the last.'}>
                <input type="text" value={options.target} list={`targets-${upload.id}`} autocomplete="off" spellcheck={false}
                    placeholder={`default: ${columns ? defaultTarget(columns.names) : 'target, label, …, or the last'}`}
                    onInput={event => change(upload.id, {options: {...options, target: event.currentTarget.value}})} />
                <datalist id={`targets-${upload.id}`}>{columns?.names.slice(0, 500).map(name =>
                    <option key={name} value={name} />)}</datalist></Field>}
        </div>
        {files.length === 1 && columns && columns.names.length <= 60 && <div class="picks" role="group"
            aria-label="Columns: choose the target">{columns.names.map(name =>
                <button type="button" key={name} class="small pick" aria-pressed={options.target === name}
                    onClick={() => change(upload.id, {options: {...options, target: options.target === name ? '' : name}})}>
                    {name}</button>)}</div>}
        <Details upload={upload} wrong={wrong} />
        {place === 'name' && upload.fault!.code === 'name_taken' && <p><button type="button" class="small" onClick={() => {
            change(upload.id, {options: {...options, replace: true}});
            void start(upload.id);
        }}>Replace “{upload.name}”</button></p>}
        <div class="buttons">
            <button class="primary" disabled={!validName(upload.name)}>{upload.fault ? 'Try again' : 'Upload'}</button>
            <button type="button" onClick={() => forget(upload.id)}>Discard</button>
            {files.length === 2 && <>
                <button type="button" class="small" onClick={() => swap(upload)}>Swap rows and labels</button>
                <button type="button" class="small" onClick={() => unpair(upload)}>Two datasets</button>
            </>}
            {files.length === 1 && others.length > 0 && <label class="beside">Labels are in
                <select value="" onChange={event => {
                    const labels = others.find(each => String(each.id) === event.currentTarget.value);
                    if (labels)
                        pair(upload, labels);
                }}><option value="">this file</option>{others.map(each =>
                    <option key={each.id} value={each.id}>{each.files[0]!.name}</option>)}</select></label>}
        </div>
    </form>;
}

function Sending({upload}: {upload: Upload}) {
    const {sent, total, rate, phase} = upload;
    const left = rate > 0 ? (total - sent) / rate : null;
    const sending = phase === 'sending';
    return <div aria-live="off">
        <progress max={Math.max(1, total)} value={sending ? sent : undefined}
            aria-label={`Upload of ${upload.name}`} />
        <p class="upload-figures">
            {sending ? <span>{bytes(sent)} of {bytes(total)}{rate > 0 && <> · {bytes(Math.round(rate))}/s</>}
                {left !== null && left > 1 && <> · {duration(left)} left</>}</span>
                : <span role="status">{phase === 'reading' ? 'The server reads it…'
                    : 'Sent. The server prepares it; you may leave, and jobs may already use it.'}</span>}
            {phase !== 'preparing' && <button class="small" onClick={() => cancel(upload.id)}>Cancel</button>}
        </p>
    </div>;
}

function Done({upload, onUse}: {upload: Upload; onUse?: ((name: string) => void) | undefined}) {
    const dataset = upload.dataset!;
    return <div class="buttons" role="status">
        <span class="badge good">✓ {upload.known ? 'it was here already' : 'ready'}</span>
        <span>{whole(dataset.rows)} rows, {whole(dataset.columns_count)} columns
            {dataset.target && <>, target <code>{dataset.target.name}</code> ({dataset.target.kind})</>}</span>
        {onUse ? <button class="small" onClick={() => onUse(dataset.name)}>Use it</button>
            : <a class="button small primary" href={href(['new'], {dataset: dataset.id})}>Train on it</a>}
        <a class="button small" href={href(['datasets', dataset.id])}>Look at it</a>
        <button class="small" onClick={() => forget(upload.id)} aria-label={`Dismiss the upload of ${upload.name}`}>Dismiss</button>
    </div>;
}

export function Uploads({onUse}: {onUse?: (name: string) => void}) {
    const all = uploads.value;
    if (!all.length)
        return null;
    return <div class="uploads">{all.map(upload => <section key={upload.id} class="panel upload"
        aria-label={`Upload ${upload.id}: ${upload.files.map(file => file.name).join(' and ')}`}>
        <header><h2>{upload.files.map((file, k) => <span key={k} class="upload-file">
            {upload.files.length === 2 && <span class="soft">{k ? 'labels ' : 'rows '}</span>}
            {file.name} <span class="soft">{bytes(file.size)}</span></span>)}</h2></header>
        {upload.phase === 'proposed' || upload.phase === 'failed' ? <Proposal upload={upload} />
            : upload.phase === 'done' ? <Done upload={upload} onUse={onUse} /> : <Sending upload={upload} />}
    </section>)}</div>;
}
