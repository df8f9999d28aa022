// A modal dialog on the browser's own <dialog>: focus stays inside, Escape closes it.
import type {ComponentChildren} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import {signal} from '@preact/signals';

export function Dialog(props: {title: string; onClose: () => void; children: ComponentChildren}) {
    const box = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        const it = box.current!;
        it.showModal();
        return () => it.close(); // leads the keyboard back to where it was; removing it would not
    }, []);
    return <dialog ref={box} aria-label={props.title} onClose={props.onClose}>
        <h2>{props.title}</h2>
        {props.children}
    </dialog>;
}

interface Question {
    title: string;
    text: string;
    action: string;
    answer: (yes: boolean) => void;
}

const question = signal<Question | null>(null);

// confirm("Delete job?", "It goes with its model.", "Delete") asks; true: yes.
export function confirm(title: string, text: string, action: string): Promise<boolean> {
    question.value?.answer(false);
    return new Promise(answer => (question.value = {title, text, action, answer}));
}

// What `show` has opened. It stands in the page's frame, so it outlives what asked for it: a row
// that scrolls away, a menu that closes.
const shown = signal<{draw: (close: () => void) => ComponentChildren; id: number} | null>(null);
let count = 0;

export function show(draw: (close: () => void) => ComponentChildren): void {
    shown.value = {draw, id: ++count};
}

function Shown() {
    const now = shown.value;
    const close = () => {
        if (shown.value === now)
            shown.value = null;
    };
    return now && <div key={now.id}>{now.draw(close)}</div>;
}

export function Confirmation() {
    return <><Shown /><Asked /></>;
}

function Asked() {
    const now = question.value;
    if (!now)
        return null;
    const answer = (yes: boolean) => {
        now.answer(yes);
        if (question.value === now)
            question.value = null;
    };
    return <Dialog key={now.title + now.text} title={now.title} onClose={() => answer(false)}>
        <p>{now.text}</p>
        <div class="buttons end">
            <button onClick={() => answer(false)}>Keep</button>
            <button class="danger" onClick={() => answer(true)}>{now.action}</button>
        </div>
    </Dialog>;
}
