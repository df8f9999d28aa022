// The learning rate's schedule: its kind, and of its settings those that belong to the kind.
import {resolvedAt} from './check';
import {Field} from './control';
import {get, set} from './draft';
import {Frame, idOf, type ControlProps} from './frame';
import {isObject, type Json} from './json';

const OF: Record<string, string[]> = {constant: [], step: ['every', 'factor'], exponential: ['factor'], cosine: ['min'],
    plateau: ['factor', 'patience']};
const FIRST: Record<string, Json> = {
    step: {name: 'step', every: 10, factor: .1},
    exponential: {name: 'exponential', factor: .95},
    plateau: {name: 'plateau', factor: .5, patience: 5},
};

// What this very job would take.
function resolvedName(path: ControlProps['path']): string {
    const schedule = resolvedAt(path);
    return isObject(schedule) && typeof schedule.name === 'string' ? schedule.name : 'auto';
}

export function Schedule({of, path}: ControlProps) {
    const value = get(path);
    const object = of.oneOf?.find(each => each.properties), members = object?.properties ?? {};
    const names = (members.name?.enum ?? ['constant', 'cosine']) as string[];
    const name = isObject(value) ? String(value.name ?? '') : value === undefined ? '' : String(value);
    const all = Object.values(OF).flat();
    // What belongs to another kind, and is not set, is left out.
    const shown = Object.entries(members).filter(([key]) => key !== 'name'
        && (!all.includes(key) || (OF[name] ?? all).includes(key) || (isObject(value) && key in value)));
    return <Frame of={of} path={path} below={false} wide={name !== ''}>
        <select id={idOf(path)} value={name} aria-describedby={`${idOf(path)}-help`} onChange={event => {
            const chosen = event.currentTarget.value;
            const warmup = isObject(value) ? value.warmup_epochs : undefined;
            const first = FIRST[chosen] ?? chosen;
            set(path, chosen === '' ? undefined : warmup === undefined ? first
                : {...(isObject(first) ? first : {name: first}), warmup_epochs: warmup});
        }}>
            <option value="">default: {resolvedName(path)}</option>
            {names.map(each => <option key={each} value={each}>{each}</option>)}
            {name !== '' && !names.includes(name) && <option value={name}>{name}</option>}
        </select>
        {name !== '' && <div class="fields nested">{shown.map(([key, each]) => isObject(value)
            ? <Field key={key} of={each} path={[...path, key]} />
            : <button type="button" key={key} class="small add-setting"
                onClick={() => set(path, {name, [key]: key === 'min' ? 0 : 1})}>Set: {each.title ?? key}</button>)}</div>}
    </Frame>;
}
