// The strength of a penalty: a slider over its logarithm, and the number itself.
import {get, set, setAll} from './draft';
import {Frame, type ControlProps} from './frame';
import {TextInput} from './control';
import {isObject, write, type Json, type Path} from './json';

// 0, then 1, 2, 5 of each decade from 1e-6 to 1.
const STEPS = [0];
for (let power = -6; power < 0; power++)
    for (const digit of [1, 2, 5])
        STEPS.push(Number(`${digit}e${power}`));
STEPS.push(1);

const MARKS: [number, string][] = [[0, 'off'], [4, '1e-5'], [10, '0.001'], [16, '0.1']];

function nearest(value: number): number {
    if (value <= 0)
        return 0;
    const at = 1 + 3 * (Math.log10(value) + 6);
    return Math.min(STEPS.length - 1, Math.max(1, Math.round(at)));
}

const exactly = (value: Json | undefined): string => (typeof value === 'number' ? write(value) : String(value ?? '?'));

const MEANING: Record<string, {help: string; word: (value: number) => string}> = {
    l1: {
        help: 'Pulls every weight towards 0 by the same amount, and holds there those that the data do not need: the model loses '
            + 'features. True zeros come with the proximal method.',
        word: value => (value === 0 ? 'off' : value < 1e-5 ? 'hardly felt' : value < 1e-3 ? 'gentle' : value < 2e-2 ? 'strong'
            : 'very strong: few weights stay'),
    },
    l2: {
        help: 'Pulls large weights more than small ones: none is left out, none gets loud, and the gap between training and '
            + 'validation shrinks. Usual: 1e-5 to 1e-2.',
        word: value => (value === 0 ? 'off' : value < 1e-5 ? 'hardly felt' : value < 1e-3 ? 'gentle' : value < 2e-2 ? 'strong'
            : 'very strong: little is learned'),
    },
};

export function Strength({of, path}: ControlProps) {
    const key = String(path[path.length - 1]), value = get(path);
    const searched = get(['tune', key]);
    const range: Path = ['tune', key];
    const meaning = MEANING[key]!;
    const title = of.title ?? key;
    if (searched !== undefined && searched !== null)
        return <Frame of={of} path={path} group help={meaning.help}>
            <p class="searched"><span class="badge running">searched</span> {isObject(searched)
                ? <>{String(searched.count ?? 16)} strengths from {exactly(searched.min)} to {exactly(searched.max)}</>
                : Array.isArray(searched) ? <>{searched.length} strengths</> : null}, in the section Tuning.{' '}
            <button type="button" class="small" onClick={() => set(range, undefined)}>One strength instead</button></p>
        </Frame>;
    const now = typeof value === 'number' ? value : 0;
    return <Frame of={of} path={path} help={meaning.help}>
        <div class="strength">
            <div class="slider">
                <input type="range" min={0} max={STEPS.length - 1} step={1} value={nearest(now)} aria-label={`${title}, slider`}
                    aria-valuetext={now === 0 ? 'off' : `${STEPS[nearest(now)]}, ${meaning.word(now)}`}
                    onInput={event => {
                        const chosen = STEPS[Number(event.currentTarget.value)]!;
                        set(path, chosen === 0 ? undefined : chosen);
                    }} />
                <div class="slider-marks" aria-hidden="true">{MARKS.map(([at, name]) =>
                    <span key={name} style={{left: `${100 * at / (STEPS.length - 1)}%`}}>{name}</span>)}</div>
            </div>
            <TextInput of={of} path={path} />
        </div>
        <p class="strength-word"><span>{meaning.word(now)}</span>
            <button type="button" class="small" onClick={() => setAll([[path, undefined],
                [range, {min: 1e-6, max: .1, count: 16}]])}>Find it by a search</button></p>
    </Frame>;
}

// The objective and its gradient, with the numbers of this draft.
export function Formula() {
    const strength = (key: string) => {
        const searched = get(['tune', key]), value = get(['regularization', key]);
        return isObject(searched) || Array.isArray(searched) ? '?' : typeof value === 'number' ? value : 0;
    };
    const l1 = strength('l1'), l2 = strength('l2');
    const twice = l2 === '?' ? '2·?' : Number((2 * l2).toPrecision(6));
    return <div class="formula" role="group" tabIndex={0} aria-label="What is minimised">
        <div><span class="soft">J(w) = </span><b class="is-loss">data loss</b>
            <span class={l1 === 0 ? 'term-off' : 'is-penalty'}> + {l1 === 0 ? 'l1' : l1}·Σ|w|</span>
            <span class={l2 === 0 ? 'term-off' : 'is-penalty'}> + {l2 === 0 ? 'l2' : l2}·Σw²</span></div>
        <div><span class="soft">each step follows </span><b class="is-loss">∂loss/∂w</b>
            <span class={l1 === 0 ? 'term-off' : 'is-penalty'}> + {l1 === 0 ? 'l1' : l1}·sign(w)</span>
            <span class={l2 === 0 ? 'term-off' : 'is-penalty'}> + {l2 === 0 ? '2·l2' : twice}·w</span></div>
    </div>;
}
