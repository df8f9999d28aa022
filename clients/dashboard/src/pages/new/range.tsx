// Strengths to be searched: none, a range, or a list. Of a range its strengths are shown as they will
// be tried.
import {number} from '../../ui/format';
import {Field, TextInput} from './control';
import {get, set} from './draft';
import {Frame, idOf, type ControlProps} from './frame';
import {isObject, type Json} from './json';

const FIRST: Record<string, Json> = {dropout: {min: 0, max: .5, count: 6}};
const RANGE: Json = {min: 1e-6, max: .1, count: 16};

function strengths(range: Json, linear: boolean): number[] {
    if (!isObject(range))
        return [];
    const {min, max} = range, count = Number(range.count ?? 16);
    if (typeof min !== 'number' || typeof max !== 'number' || !(count >= 1 && count <= 1000) || max < min)
        return [];
    const log = (range.scale ?? (linear ? 'linear' : 'log')) === 'log';
    if (log && min <= 0)
        return [];
    return Array.from({length: count}, (_, k) => {
        const share = count === 1 ? 1 : k / (count - 1);
        return log ? min * (max / min) ** share : min + (max - min) * share;
    });
}

// The strengths as ticks: evenly spaced, as they are tried.
function Ticks({of}: {of: number[]}) {
    if (!of.length)
        return null;
    return <p class="soft ticks">{of.length} strengths: {of.length <= 7 ? of.map(each => number(each, 3)).join(', ')
        : `${of.slice(0, 3).map(each => number(each, 3)).join(', ')}, … ${of.slice(-2).map(each => number(each, 3)).join(', ')}`}</p>;
}

export function RangeField({of, path}: ControlProps) {
    const value = get(path), key = String(path[path.length - 1]);
    const range = of.oneOf?.find(each => each.properties), list = of.oneOf?.find(each => each.type === 'array');
    const kind = isObject(value) ? 'range' : Array.isArray(value) ? 'list' : value === undefined || value === null ? '' : 'other';
    const linearModel = JSON.stringify(get(['model', 'hidden'])) === '[]';
    return <Frame of={of} path={path} below={kind !== 'range'} wide={kind !== ''}>
        <div class="with-words"><select id={idOf(path)} value={kind} aria-describedby={`${idOf(path)}-help`} onChange={event => {
            const chosen = event.currentTarget.value;
            set(path, chosen === '' ? undefined : chosen === 'range' ? FIRST[key] ?? RANGE
                : strengths(FIRST[key] ?? {...RANGE as object, count: 6}, key === 'dropout').map(each => Number(each.toPrecision(3))));
        }}>
            <option value="">not searched</option>
            <option value="range">a range</option>
            <option value="list">a list</option>
            {kind === 'other' && <option value="other">as in the JSON</option>}
        </select>
        {kind === 'range' && key === 'l1' && linearModel && <button type="button" class="small pick"
            aria-pressed={isObject(value) && value.max === 'auto'}
            onClick={() => set(path, {min: 'auto', max: 'auto', count: 24})}>find the range too</button>}</div>
        {kind === 'range' && range && <>
            <div class="fields nested four">{Object.entries(range.properties ?? {}).map(([name, each]) =>
                <Field key={name} of={each} path={[...path, name]} />)}</div>
            <Ticks of={strengths(value!, key === 'dropout')} /></>}
        {kind === 'list' && list && <ListOf of={list} path={path} />}
    </Frame>;
}

function ListOf({of, path}: ControlProps) {
    const value = get(path);
    return <div class="picks list-of">{(Array.isArray(value) ? value : []).map((_, k) => <span class="list-item" key={k}>
        <TextInput of={of.items ?? {}} path={[...path, k]} label={`Strength ${k + 1}`} />
        <button type="button" class="icon-button" aria-label={`Remove strength ${k + 1}`}
            onClick={() => set([...path, k], undefined)}>×</button></span>)}
    <button type="button" class="small" onClick={() => set(path, [...(Array.isArray(value) ? value : []), 0])}>Add</button></div>;
}
