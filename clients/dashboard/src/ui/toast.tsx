// Short messages at the corner: what was done, or why it was not.
import {signal} from '@preact/signals';
import {Problem} from '../api/client';

interface Toast {
    id: number;
    kind: 'good' | 'bad';
    text: string;
}

const toasts = signal<Toast[]>([]);
let count = 0;

function drop(id: number): void {
    toasts.value = toasts.value.filter(each => each.id !== id);
}

function show(kind: Toast['kind'], text: string): void {
    const id = ++count;
    toasts.value = [...toasts.value.slice(-3), {id, kind, text}];
    setTimeout(() => drop(id), kind === 'good' ? 4000 : 10_000);
}

export const say = (text: string): void => show('good', text);

export function complain(fault: unknown): void {
    if ((fault as Error)?.name === 'AbortError')
        return;
    if (fault instanceof Problem) {
        const details = fault.errors.map(each => each.detail).filter(Boolean);
        show('bad', [fault.title, fault.detail, ...details].filter(Boolean).join(': '));
    } else {
        show('bad', String((fault as Error)?.message ?? fault));
    }
}

export function Toasts() {
    return <div class="toasts" role="status" aria-live="polite">
        {toasts.value.map(each => <div key={each.id} class={`toast ${each.kind}`}>
            <span>{each.text}</span>
            <button class="icon-button" aria-label="Dismiss" onClick={() => drop(each.id)}>×</button>
        </div>)}
    </div>;
}
