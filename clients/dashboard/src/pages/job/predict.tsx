// Asking a model: one question under way at a time, the newest waits for it, the ones between are
// dropped. And its answer.
import {useEffect, useRef, useState} from 'preact/hooks';
import {request} from '../../api/client';
import type {Job} from '../../api/types';
import {Fault} from '../../ui/basics';
import {number, percent} from '../../ui/format';

export type Prediction = number | null | {class: string; probabilities: Record<string, number | null>};

export interface Answer {
    which: string;
    target: string;
    classes?: string[];
    predictions: Prediction[];
    rows: number;
}

export type Which = 'best' | 'last';

const QUIET_MS = 120;

export interface Predictor {
    answer: Answer | null;
    fault: unknown;
    ask: (body: unknown) => void; // null: nothing to ask, and no answer
}

export function usePredictor(job: Job, which: Which): Predictor {
    const [answer, setAnswer] = useState<Answer | null>(null);
    const [fault, setFault] = useState<unknown>(null);
    const state = useRef({next: null as unknown, waits: false, busy: false, over: false, last: null as unknown,
        timer: undefined as ReturnType<typeof setTimeout> | undefined});
    const run = async () => {
        const it = state.current;
        if (it.busy || !it.waits)
            return;
        it.waits = false;
        const body = it.last = it.next;
        if (body === null) {
            setAnswer(null);
            setFault(null);
            return;
        }
        it.busy = true;
        try {
            const got = await request<Answer>('POST', `v1/jobs/${encodeURIComponent(job.id)}/predict`,
                {query: {which: which === 'last' ? 'last' : null}, body});
            if (!it.over && !(it.waits && it.next === null)) {
                setAnswer(got);
                setFault(null);
            }
        } catch (why) {
            if (!it.over)
                setFault(why);
        }
        it.busy = false;
        if (!it.over)
            void run();
    };
    const ask = (body: unknown) => {
        const it = state.current;
        it.next = body;
        it.waits = true;
        clearTimeout(it.timer);
        it.timer = setTimeout(() => void run(), body === null ? 0 : QUIET_MS);
    };
    useEffect(() => {
        setAnswer(null);
        if (state.current.last !== null)
            ask(state.current.last);
    }, [which]);
    useEffect(() => {
        state.current.over = false;
        return () => {
            state.current.over = true;
            clearTimeout(state.current.timer);
        };
    }, []);
    return {answer, fault, ask};
}

const FEW = 20;

export function AnswerView({of: {answer, fault}, hint}: {of: Predictor; hint: string}) {
    const prediction = answer?.predictions[0];
    if (fault && !(fault as {errors?: unknown[]}).errors?.length)
        return <Fault fault={fault} />;
    if (!answer || prediction === undefined)
        return <p class="soft answer-hint">{hint}</p>;
    const stale = fault ? 'stale' : '';
    if (prediction === null || typeof prediction === 'number')
        return <div class={`answer ${stale}`}><p class="soft">{answer.target}</p>
            <output class="figure" aria-live="polite">{prediction === null ? 'not finite' : number(prediction, 6)}</output></div>;
    const classes = answer.classes ?? Object.keys(prediction.probabilities);
    // Bars that jump about while somebody draws cannot be read: few classes keep their order.
    const shown = classes.length <= FEW ? classes
        : [...classes].sort((a, b) => (prediction.probabilities[b] ?? 0) - (prediction.probabilities[a] ?? 0)).slice(0, 10);
    return <div class={`answer ${stale}`}><p class="soft">{answer.target}</p>
        <output class="figure" aria-live="polite">{prediction.class}</output>
        <table class="probabilities"><caption class="hidden">Probability of each class</caption>
            <tbody>{shown.map(name => {
                const value = prediction.probabilities[name] ?? 0;
                return <tr key={name} class={name === prediction.class ? 'first' : ''}>
                    <th scope="row"><span class="cut" title={name}>{name}</span></th>
                    <td class="bar-cell"><span class="bar" aria-hidden="true"><span style={{width: `${100 * value}%`}} /></span></td>
                    <td class="number">{percent(value, value > 0 && value < .0995 ? 2 : 1)}</td></tr>;
            })}</tbody></table>
        {shown.length < classes.length && <p class="soft">and {(classes.length - shown.length).toLocaleString('en')} more classes</p>}
    </div>;
}
