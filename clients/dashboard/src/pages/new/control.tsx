// The generic fields: one for each kind of value that the schema knows, within one another.
import {useState} from 'preact/hooks';
import {resolvedAt} from './check';
import {get, rename, set} from './draft';
import {Frame, idOf, type ControlProps} from './frame';
import {isObject, parse, write, type Json, type Path} from './json';
import {firstOf, fits, isScalar, membersOf, nameOf, typesOf, type Schema} from './schema';
import {SPECIAL} from './special';

const showValue = (value: Json): string => (typeof value === 'string' ? value : value === null ? 'none' : write(value, ' '));

// "default: 32"; "" where there is nothing to tell.
export function defaultText(of: Schema, path: Path): string {
    const value = resolvedAt(path) ?? of.default;
    return value === undefined || isObject(value) ? '' : `default: ${showValue(value)}`;
}

const branches = (of: Schema): Schema[] => of.oneOf ?? [of];

// What typed text means for this field. What it can't mean stays text: the server says why not.
function readScalar(of: Schema, text: string, keep = false): Json | undefined {
    const trimmed = text.trim();
    if (trimmed === '')
        return keep ? '' : undefined;
    const all = branches(of);
    for (const each of all)
        for (const known of each.const !== undefined ? [each.const] : each.enum ?? [])
            if (known === trimmed)
                return known;
    const number = Number(trimmed);
    if (all.some(each => typesOf(each).some(type => type === 'number' || type === 'integer')) && Number.isFinite(number))
        return number;
    return all.some(each => typesOf(each).includes('string')) ? text : trimmed;
}

// `keep`: an empty text stays, in a list or under a key that a person named.
export function TextInput({of, path, label, keep = typeof path[path.length - 1] === 'number'}: ControlProps & {label?: string | undefined;
    keep?: boolean}) {
    const value = get(path);
    const [typed, setTyped] = useState<string | null>(null);
    const shown = typed !== null && readScalar(of, typed, keep) === value ? typed : value === undefined ? '' : showValue(value);
    const numeric = branches(of).some(each => typesOf(each).some(type => type === 'number' || type === 'integer'));
    const words = branches(of).flatMap(each => (each.const !== undefined ? [each.const] : []));
    return <div class="with-words">
        <input id={idOf(path)} type="text" value={shown} placeholder={defaultText(of, path)} autocomplete="off" spellcheck={false}
            inputMode={numeric && !words.length ? 'decimal' : 'text'} aria-describedby={label ? undefined : `${idOf(path)}-help`} aria-label={label}
            onInput={event => {
                setTyped(event.currentTarget.value);
                set(path, readScalar(of, event.currentTarget.value, keep));
            }} onBlur={() => setTyped(null)} />
        {words.map(word => <button type="button" key={String(word)} class="small pick" aria-pressed={value === word}
            onClick={() => set(path, value === word ? undefined : word)}>{String(word)}</button>)}
    </div>;
}

function SelectInput({of, path}: ControlProps) {
    const value = get(path);
    const known = branches(of).flatMap(each => each.enum ?? (each.const !== undefined ? [each.const] : []));
    const now = value === undefined ? '' : JSON.stringify(value);
    return <select id={idOf(path)} value={now} aria-describedby={`${idOf(path)}-help`} onChange={event => {
        const chosen = event.currentTarget.value;
        set(path, chosen === '' ? undefined : JSON.parse(chosen) as Json);
    }}>
        <option value="">{defaultText(of, path) || 'default'}</option>
        {known.filter(each => each !== null || value === null).map(each =>
            <option key={JSON.stringify(each)} value={JSON.stringify(each)}>{showValue(each)}</option>)}
        {value !== undefined && !known.includes(value) && <option value={now}>{showValue(value)}</option>}
    </select>;
}

function BooleanInput({of, path}: ControlProps) {
    const value = get(path);
    const known = value ?? resolvedAt(path) ?? of.default ?? false;
    return <label class="tick"><input id={idOf(path)} type="checkbox" checked={known === true}
        aria-describedby={`${idOf(path)}-help`} onChange={event => set(path, event.currentTarget.checked)} />
    {' '}{known === true ? 'yes' : 'no'}{value === undefined && <span class="soft"> (default)</span>}</label>;
}

// Values between commas.
function ListInput({of, path}: ControlProps) {
    const value = get(path), item = of.items ?? {};
    const [typed, setTyped] = useState<string | null>(null);
    const read = (text: string): Json | undefined => (text.trim() === '' ? undefined
        : text.split(/[,\s]+/).filter(Boolean).map(each => readScalar(item, each)!));
    const same = typed !== null && JSON.stringify(read(typed)) === JSON.stringify(value);
    return <input id={idOf(path)} type="text" autocomplete="off" spellcheck={false} aria-describedby={`${idOf(path)}-help`}
        placeholder={defaultText(of, path) || 'values between commas'}
        value={same ? typed : Array.isArray(value) ? value.map(showValue).join(', ') : value === undefined ? '' : showValue(value)}
        onInput={event => {
            setTyped(event.currentTarget.value);
            set(path, read(event.currentTarget.value));
        }} onBlur={() => setTyped(null)} />;
}

// Objects in a list: layers one by one.
function ItemsInput({of, path}: ControlProps) {
    const value = get(path), items = Array.isArray(value) ? value : [], item = of.items ?? {};
    const title = of.title ?? 'item';
    const move = (from: number, to: number) => {
        const next = [...items];
        next.splice(to, 0, ...next.splice(from, 1));
        set(path, next);
    };
    return <ol class="item-list" id={idOf(path)} tabIndex={-1}>
        {items.map((_, k) => <li key={k}>
            <div class="item-box"><Control of={item} path={[...path, k]} label={`${title}, ${k + 1}`} /></div>
            <div class="item-buttons">
                <button type="button" class="icon-button" aria-label={`Move ${k + 1} up`} disabled={k === 0}
                    onClick={() => move(k, k - 1)}>↑</button>
                <button type="button" class="icon-button" aria-label={`Move ${k + 1} down`} disabled={k === items.length - 1}
                    onClick={() => move(k, k + 1)}>↓</button>
                <button type="button" class="icon-button" aria-label={`Remove ${k + 1}`}
                    onClick={() => set([...path, k], undefined)}>×</button>
            </div>
        </li>)}
        <li class="add"><button type="button" class="small" onClick={() => set(path, [...items, firstOf(item)])}>Add</button></li>
    </ol>;
}

// Keys that a person names.
function MapInput({of, path}: ControlProps) {
    const value = get(path), members = isObject(value) ? value : {};
    const [name, setName] = useState('');
    const each = (typeof of.additionalProperties === 'object' ? of.additionalProperties : null)
        ?? Object.values(of.patternProperties ?? {})[0] ?? {};
    const add = () => {
        if (name.trim() && !Object.hasOwn(members, name.trim()))
            set(path, {...members, [name.trim()]: firstOf(each)});
        const added = idOf([...path, name.trim()]);
        setName('');
        requestAnimationFrame(() => document.getElementById(added)?.focus());
    };
    return <div class="key-map">
        {Object.keys(members).map(key => <div class="key-row" key={key}>
            <input type="text" value={key} aria-label="Key" spellcheck={false} onChange={event => {
                const next = event.currentTarget.value.trim();
                if (next && next !== key && !Object.hasOwn(members, next))
                    rename([...path, key], next);
                else
                    event.currentTarget.value = key;
            }} />
            <div class="key-value"><Control of={each} path={[...path, key]} label={`Value of ${key}`} keep /></div>
            <button type="button" class="icon-button" aria-label={`Remove ${key}`}
                onClick={() => set([...path, key], undefined)}>×</button>
        </div>)}
        <div class="key-row">
            <input id={idOf(path)} type="text" value={name} placeholder="key" spellcheck={false}
                aria-label={`${of.title ?? 'Values'}: new key`} aria-describedby={`${idOf(path)}-help`}
                onInput={event => setName(event.currentTarget.value)} onKeyDown={event => {
                    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey)
                        return;
                    event.preventDefault();
                    add();
                }} />
            <button type="button" class="small" onClick={add} disabled={!name.trim()}>Add</button>
        </div>
    </div>;
}

function JsonInput({path}: ControlProps) {
    const value = get(path);
    const [typed, setTyped] = useState<string | null>(null);
    const bad = typed !== null && typed.trim() !== '' && parse(typed).fault;
    return <><textarea id={idOf(path)} class="mono" rows={2} spellcheck={false} placeholder="JSON"
        value={typed ?? (value === undefined ? '' : write(value))} onInput={event => {
            const text = event.currentTarget.value, read = parse(text);
            setTyped(text);
            if (text.trim() === '' || !read.fault)
                set(path, text.trim() === '' ? undefined : read.value);
        }} onBlur={() => !bad && setTyped(null)} />
    {bad && <span class="wrong">line {bad.line}, column {bad.column}: {bad.message}</span>}</>;
}

export function Members({of, path}: ControlProps) {
    return <div class="fields nested">{Object.entries(of.properties ?? {}).filter(([, each]) => each.const === undefined)
        .map(([key, each]) => <Field key={key} of={each} path={[...path, key]} />)}</div>;
}

// One of several kinds: values to choose stand in the list by themselves.
function ChoiceInput({of, path, label}: ControlProps & {label?: string}) {
    const value = get(path);
    const options: {key: string; text: string; of?: Schema}[] = [];
    const offer = (each: Json) => (each !== null || value === null || of.default !== null)
        && options.push({key: JSON.stringify(each), text: typeof each === 'boolean' ? (each ? 'yes' : 'no') : showValue(each)});
    of.oneOf!.forEach((each, k) => {
        const types = Array.isArray(each.type) ? each.type : [each.type];
        if (each.const !== undefined || each.enum)
            (each.enum ?? [each.const!]).forEach(offer);
        else if (types.every(type => type === 'null' || type === 'boolean'))
            types.forEach(type => (type === 'null' ? offer(null) : [true, false].forEach(offer)));
        else
            options.push({key: `#${k}`, text: nameOf(each), of: each});
    });
    const text = value === undefined ? '' : JSON.stringify(value);
    const chosen = value === undefined || options.some(each => each.key === text) ? text
        : `#${of.oneOf!.findIndex(each => fits(each, value))}`;
    const kind = options.find(each => each.key === chosen)?.of;
    return <>
        <select id={kind && !kind.properties ? undefined : idOf(path)} value={chosen}
            aria-label={label ?? `${of.title ?? 'Value'}: kind`} onChange={event => {
                const key = event.currentTarget.value;
                set(path, key === '' ? undefined : key[0] === '#' ? firstOf(of.oneOf![Number(key.slice(1))]!) : JSON.parse(key) as Json);
            }}>
            {(path.length < 2 || typeof path[path.length - 1] === 'string') && <option value="">{defaultText(of, path) || 'default'}</option>}
            {options.map(each => <option key={each.key} value={each.key}>{each.text}</option>)}
            {chosen === '#-1' && <option value="#-1">as in the JSON</option>}
        </select>
        {kind && <Control of={kind} path={path} />}
    </>;
}

export function Control({of, path, label, keep = false}: ControlProps & {label?: string; keep?: boolean}) {
    if (of.oneOf) {
        const some = of.oneOf.filter(each => each.type !== 'null');
        if (some.every(isScalar))
            return some.every(each => each.enum || each.const !== undefined) ? <SelectInput of={of} path={path} />
                : some.some(each => each.enum) ? <ChoiceInput of={of} path={path} {...(label ? {label} : {})} />
                    : <TextInput of={of} path={path} />;
        return <ChoiceInput of={of} path={path} {...(label ? {label} : {})} />;
    }
    if (of.enum)
        return <SelectInput of={of} path={path} />;
    const types = typesOf(of);
    if (types.length === 1 && types[0] === 'boolean')
        return <BooleanInput of={of} path={path} />;
    if (types.includes('array'))
        return of.items && isScalar(of.items) ? <ListInput of={of} path={path} />
            : of.items && (of.items.oneOf ?? [of.items]).every(each => each.properties) ? <ItemsInput of={of} path={path} />
                : <JsonInput of={of} path={path} />;
    if (types.includes('object'))
        return of.properties ? <Members of={of} path={path} /> : <MapInput of={of} path={path} />;
    return isScalar(of) ? <TextInput of={of} path={path} {...(label ? {label, keep} : {})} /> : <JsonInput of={of} path={path} />;
}

export function Field({of, path}: ControlProps) {
    const Special = SPECIAL['/' + path.join('/')];
    if (Special)
        return <Special of={of} path={path} />;
    const composite = !isScalar(of) && !of.oneOf?.every(isScalar) && (membersOf(of) !== null || typesOf(of).includes('object')
        || (of.items !== undefined && !isScalar(of.items)));
    const inner = composite && get(path) !== undefined;
    return <Frame of={of} path={path} group={composite} wide={inner} below={!inner}><Control of={of} path={path} /></Frame>;
}
