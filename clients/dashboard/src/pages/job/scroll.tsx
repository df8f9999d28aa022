// A table that may be wider or taller than its place: the keyboard can scroll it, too.
import type {ComponentChildren} from 'preact';

export function Scroll({label, tall, children}: {label: string; tall?: boolean; children: ComponentChildren}) {
    return <div class={tall ? 'scroll tall' : 'scroll'} tabIndex={0} role="group" aria-label={label}>{children}</div>;
}
