// The hidden layers: a list of widths, from the inputs to the outputs.
import {answer} from './check';
import {get, set} from './draft';
import {Frame, idOf, type ControlProps} from './frame';
import {isObject, type Json} from './json';

const READY: [string, number[] | undefined][] = [['Linear', []], ['64', undefined], ['128 · 64', [128, 64]],
    ['256 · 128 · 64', [256, 128, 64]]];

export function Hidden({of, path}: ControlProps) {
    const value = get(path);
    const spelled = get(['model', 'layers']);
    if (Array.isArray(spelled))
        return <Frame of={of} path={path} group help=""><p class="soft">The network is spelled out by its layers, below.</p></Frame>;
    const widths: Json[] = Array.isArray(value) ? value : value === undefined ? (of.default as number[] | undefined) ?? [64] : [];
    const put = (next: Json[]) => set(path, next);
    const features = isObject(answer.value?.resolved.data) ? answer.value?.resolved.data.features : undefined;
    return <Frame of={of} path={path} group wide help="Units of each hidden layer, from the inputs on; none: a linear model.">
        <div class="picks" role="group" aria-label="Ready-made">{READY.map(([name, sizes]) => <button type="button" key={name}
            class="small pick" aria-pressed={JSON.stringify(value) === JSON.stringify(sizes)}
            onClick={() => set(path, sizes)}>{name}{sizes === undefined && <span class="soft"> (default)</span>}</button>)}</div>
        <ol class="layers" id={idOf(path)} tabIndex={-1}>
            <li class="layer-end">{Array.isArray(features) ? `${features.length.toLocaleString('en')} columns` : 'inputs'}</li>
            {widths.map((width, k) => <li key={k}><span class="layer-arrow" aria-hidden="true">→</span>
                <input type="text" inputMode="numeric" value={String(width)} aria-label={`Units of hidden layer ${k + 1}`}
                    onInput={event => {
                        const text = event.currentTarget.value.trim(), number = Number(text);
                        put(widths.map((each, j) => (j === k ? (text !== '' && Number.isFinite(number) ? number : text) : each)));
                    }} />
                <button type="button" class="icon-button" aria-label={`Remove hidden layer ${k + 1}`}
                    onClick={() => put(widths.filter((_, j) => j !== k))}>×</button></li>)}
            <li><span class="layer-arrow" aria-hidden="true">→</span><button type="button" class="small"
                onClick={() => put([...widths, widths[widths.length - 1] ?? 64])}>Add a layer</button></li>
            <li class="layer-end"><span class="layer-arrow" aria-hidden="true">→</span>output</li>
        </ol>
    </Frame>;
}
