// The parts of the spec in the order in which one thinks about them. Of each, the usual keys stand
// open and the others are folded away: keys that this page has never heard of as well.
import type {ComponentChildren} from 'preact';
import {realFaults} from './check';
import {Field} from './control';
import {get, set, spec} from './draft';
import {Wrong} from './frame';
import {isObject, pointerOf, type Path} from './json';
import {membersOf, schema, type Schema} from './schema';
import {Formula} from './strength';

const USUAL: Record<string, string[]> = {
    data: ['dataset', 'target', 'validation', 'test', 'features'],
    model: ['hidden', 'activation', 'dropout'],
    regularization: ['l1', 'l2', 'l1_method', 'biases'],
    optimizer: ['name', 'lr', 'momentum', 'schedule'],
    train: ['epochs', 'batch_size', 'early_stopping', 'seed'],
    tune: ['l1', 'l2', 'folds', 'rule'],
};
export const SECTIONS = Object.keys(USUAL);
// Scalars of the spec's top that belong into a section.
const GUESTS: Record<string, string[]> = {model: ['loss']};

// Faults of keys that have no field: misspelled ones.
function Strangers({path, known}: {path: Path; known: string[]}) {
    const pointer = pointerOf(path);
    const wrong = realFaults.value.filter(fault => {
        const below = fault.pointer?.startsWith(pointer + '/') ? fault.pointer.slice(pointer.length + 1) : null;
        return (fault.pointer === pointer && fault.code !== 'missing_key') || (below !== null && !known.includes(below.split('/')[0]!)
            && (path.length > 0 || !below.includes('/')));
    });
    return wrong.length ? <div class="fault strangers" role="alert">{wrong.map((fault, k) => <Wrong key={k} fault={fault} />)}</div> : null;
}

function Fields({of, name, keys, guests = []}: {of: Schema; name: string; keys: string[]; guests?: string[]}) {
    return <div class="fields">{keys.map(key => <Field key={key} of={of.properties![key]!} path={[name, key]} />)}
        {guests.map(key => <Field key={key} of={schema.value!.properties![key]!} path={[key]} />)}</div>;
}

function Section({name, of, children}: {name: string; of: Schema; children?: ComponentChildren}) {
    const members = membersOf(of);
    if (!members?.properties)
        return <section class="panel spec-section" aria-label={of.title ?? name}><div class="fields"><Field of={of} path={[name]} /></div></section>;
    const all = Object.keys(members.properties), usual = (USUAL[name] ?? all.slice(0, 4)).filter(key => all.includes(key));
    const rest = all.filter(key => !usual.includes(key) && !(name === 'data' && key === 'inline'));
    const here = get([name]);
    const told = rest.filter(key => isObject(here) && key in here);
    const wrong = rest.some(key => realFaults.value.some(fault => `${fault.pointer}/`.startsWith(`/${name}/${key}/`)));
    const guests = (GUESTS[name] ?? []).filter(key => schema.value?.properties?.[key]);
    return <section class={`panel spec-section section-${name}`} id={`f/${name}-box`} aria-label={of.title ?? name}>
        <header><h2>{of.title ?? name}</h2>{name !== 'tune' && <span class="soft">{of.description}</span>}</header>
        {children}
        <Strangers path={[name]} known={all} />
        <Fields of={members} name={name} keys={usual} guests={guests} />
        {rest.length > 0 && <details class="more-fold more-settings" open={told.length > 0 || wrong}>
            <summary>More: {rest.length} {rest.length === 1 ? 'setting' : 'settings'}{told.length > 0 && `, ${told.length} set`}</summary>
            <Fields of={members} name={name} keys={rest} /></details>}
    </section>;
}

const SEARCHES = ['l1', 'l2', 'weight_decay', 'dropout'];

function Tuning({of}: {of: Schema}) {
    const tune = get(['tune']);
    const on = tune !== undefined && tune !== null;
    const none = on && isObject(tune) && !SEARCHES.some(key => tune[key] !== undefined && tune[key] !== null);
    const toggle = <label class="tick search-toggle"><input type="checkbox" checked={on} onChange={event =>
        set(['tune'], event.currentTarget.checked ? {l2: {min: 1e-6, max: .1, count: 16}} : undefined)} />
    {' '}<b>Find the strength</b> <span class="soft">{of.description}</span></label>;
    if (!on)
        return <section class="panel spec-section section-tune" id="f/tune-box" aria-label={of.title}>
            <header><h2>{of.title}</h2></header>{toggle}</section>;
    return <Section name="tune" of={of}>{toggle}{none && <p class="note small-note">Nothing is searched yet: choose a range for L1 or
        L2, or for one of the others below.</p>}</Section>;
}

export function Sections() {
    const of = schema.value!.properties ?? {};
    const others = Object.keys(of).filter(key => !SECTIONS.includes(key) && key !== 'name' && key !== 'labels'
        && !Object.values(GUESTS).flat().includes(key));
    return <>
        <Strangers path={[]} known={Object.keys(of)} />
        {SECTIONS.filter(key => of[key]).map(key => (key === 'tune' ? <Tuning key={key} of={of[key]!} />
            : <Section key={key} name={key} of={of[key]!}>{key === 'regularization' && <Formula />}</Section>))}
        {others.map(key => <Section key={key} name={key} of={of[key]!} />)}
    </>;
}

// Name and labels, at the top.
export function Naming() {
    const of = schema.value!.properties ?? {};
    return <section class="panel spec-section" aria-label="Name and labels"><div class="fields">
        {of.name && <Field of={of.name} path={['name']} />}
        {of.labels && <details class="more-fold" open={spec.value.labels !== undefined}><summary>Labels</summary>
            <Field of={of.labels} path={['labels']} /></details>}
    </div></section>;
}
