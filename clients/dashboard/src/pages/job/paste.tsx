// Rows of a file: CSV with a header, or JSON, one object a line or a list. Sent as they are.
import {useEffect, useRef, useState} from 'preact/hooks';
import {request, url} from '../../api/client';
import type {Job} from '../../api/types';
import {Fault} from '../../ui/basics';
import {field} from '../../ui/csv';
import {number, percent, whole} from '../../ui/format';
import type {Column} from './columns';
import type {Answer, Which} from './predict';
import {Scroll} from './scroll';

const SHOWN = 200;

// {body, type} of a text; JSON lines and lists become {"rows": […]}.
export function bodyOf(text: string): {body: string; type: string} {
    const trimmed = text.trim();
    if (!/^[[{]/.test(trimmed))
        return {body: text, type: 'text/csv'};
    const type = 'application/json';
    try {
        const whole: unknown = JSON.parse(trimmed);
        if (Array.isArray(whole))
            return {body: JSON.stringify({rows: whole.length && !Array.isArray(whole[0]) && typeof whole[0] !== 'object' ? [whole] : whole}), type};
        const it = whole as Record<string, unknown>;
        return {body: Array.isArray(it.rows) || Array.isArray(it.x) ? trimmed : JSON.stringify({rows: [it]}), type};
    } catch {
        const rows = trimmed.split(/\r?\n/).filter(line => line.trim()).map((line, k) => {
            try {
                return JSON.parse(line) as unknown;
            } catch (fault) {
                throw new Error(`Line ${k + 1} is not JSON: ${(fault as Error).message}`);
            }
        });
        return {body: JSON.stringify({rows}), type};
    }
}

export function Paste({job, columns, which, onBody}: {job: Job; columns: Column[]; which: Which;
    onBody: (body: {body: string; type: string} | null) => void}) {
    const [text, setText] = useState('');
    const [answer, setAnswer] = useState<Answer | null>(null);
    const [fault, setFault] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const asked = useRef('');
    asked.current = `${which} ${text}`;
    // What stands below is the answer to what stands above.
    useEffect(() => {
        setAnswer(null);
        setFault(null);
    }, [asked.current]);
    const change = (next: string) => {
        setText(next);
        try {
            onBody(next.trim() ? bodyOf(next) : null);
        } catch {
            onBody(null);
        }
    };
    const predict = async () => {
        const mine = asked.current;
        setBusy(true);
        try {
            const {body, type} = bodyOf(text);
            const got = await request<Answer>('POST', url(`v1/jobs/${encodeURIComponent(job.id)}/predict`,
                {which: which === 'last' ? 'last' : null}), {body, headers: {'Content-Type': type}});
            if (mine === asked.current) {
                setAnswer(got);
                setFault(null);
            }
        } catch (why) {
            if (mine === asked.current) {
                setAnswer(null);
                setFault(why);
            }
        }
        setBusy(false);
    };
    const example = () => change(`${columns.map(each => field(each.name)).join(',')}\n${
        columns.map(each => field(each.typical)).join(',')}\n`);
    return <form class="stack" onSubmit={event => {
        event.preventDefault();
        void predict();
    }}>
        <label class="field"><span>CSV with a header, or JSON: one object a line</span>
            <textarea class="mono" rows={8} spellcheck={false} wrap="off" value={text} onInput={event => change(event.currentTarget.value)} /></label>
        <div class="buttons">
            <button class="primary" disabled={busy || !text.trim()}>Predict</button>
            <label class="button">Open a file<input class="hidden" type="file" onChange={event => {
                const file = event.currentTarget.files?.[0];
                if (file && file.size <= 16 * 2 ** 20)
                    void file.text().then(change);
                else if (file)
                    setFault(new Error('A prediction takes 16 MiB at most; “ockham predict” has no limit.'));
                event.currentTarget.value = '';
            }} /></label>
            <button type="button" onClick={example}>Example</button>
        </div>
        {fault !== null && <Fault fault={fault} />}
        {answer && <Scroll label="Predictions" tall><table>
            <thead><tr><th scope="col" class="number">Row</th><th scope="col">{answer.target}</th>
                {answer.classes && <th scope="col" class="number">Probability</th>}</tr></thead>
            <tbody>{answer.predictions.slice(0, SHOWN).map((each, k) => <tr key={k}>
                <td class="number">{whole(k + 1)}</td>
                {each === null || typeof each === 'number' ? <td>{each === null ? 'not finite' : number(each, 6)}</td>
                    : <><td class="wrap">{each.class}</td><td class="number">{percent(each.probabilities[each.class], 1)}</td></>}
            </tr>)}</tbody></table>
            {answer.predictions.length > SHOWN && <p class="soft">The first {SHOWN} of {whole(answer.rows)}.</p>}</Scroll>}
    </form>;
}
