// Small pieces that all pages are made of.
import type {ComponentChildren} from 'preact';
import {Problem} from '../api/client';
import type {Status} from '../api/types';
import {say} from './toast';

// Colour never stands alone: each status has its own sign.
const SIGNS: Record<Status, string> = {
    queued: '○', running: '▶', paused: '❚❚', succeeded: '✓', failed: '✕', cancelled: '⊘',
};

export function StatusBadge({status}: {status: Status}) {
    return <span class={`badge ${status}`}><span aria-hidden="true">{SIGNS[status] ?? ''}</span> {status}</span>;
}

export function Labels({labels}: {labels: Record<string, string>}) {
    return <>{Object.entries(labels ?? {}).map(([key, value]) =>
        <span class="label" key={key}>{key}<i>=</i>{value}</span>)}</>;
}

export function Progress({fraction, label}: {fraction: number; label: string}) {
    const percent = Math.round(100 * Math.min(1, Math.max(0, fraction)));
    return <progress max={100} value={percent} aria-label={`${label}: ${percent} %`} title={`${percent} %`} />;
}

export function Empty({title, children}: {title: string; children?: ComponentChildren}) {
    return <div class="empty"><h2>{title}</h2>{children}</div>;
}

export function Loading({what}: {what: string}) {
    return <p class="soft" role="status">Loading {what}…</p>;
}

// Why something could not be shown or done, with all faults and their places.
export function Fault({fault}: {fault: unknown}) {
    if (!(fault instanceof Problem))
        return <div class="fault" role="alert">{String((fault as Error)?.message ?? fault)}</div>;
    return <div class="fault" role="alert">
        <strong>{fault.title}</strong>{fault.detail && <>: {fault.detail}</>}
        {fault.errors.length > 0 && <ul>{fault.errors.map((each, k) => <li key={k}>
            {each.pointer && <code>{each.pointer}</code>} {each.detail}
            {each.suggestion && <> — did you mean <code>{each.suggestion}</code>?</>}
        </li>)}</ul>}
    </div>;
}

// A panel with a heading; `aside` stands at the heading's end.
export function Panel(props: {title: string; aside?: ComponentChildren; class?: string; id?: string;
    children: ComponentChildren}) {
    return <section class={`panel ${props.class ?? ''}`} id={props.id} aria-label={props.title}>
        <header><h2>{props.title}</h2>{props.aside && <div class="aside">{props.aside}</div>}</header>
        {props.children}
    </section>;
}

// Names with figures: <Facts of={[["Epoch", "3 of 20"]]} />
export function Facts({of}: {of: [string, ComponentChildren][]}) {
    return <dl class="facts">{of.map(([name, value]) =>
        <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

// Tabs that links can name; the chosen one's panel is the caller's.
export function Tabs(props: {of: {id: string; title: string}[]; chosen: string; onChoose: (id: string) => void;
    label: string}) {
    const move = (event: KeyboardEvent) => {
        const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
        if (!step)
            return;
        event.preventDefault();
        const at = props.of.findIndex(each => each.id === props.chosen);
        const next = props.of[(at + step + props.of.length) % props.of.length]!;
        props.onChoose(next.id);
        const bar = event.currentTarget as HTMLElement;
        requestAnimationFrame(() => bar.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
    };
    return <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={move}>
        {props.of.map(each => <button key={each.id} role="tab" id={`tab-${each.id}`}
            aria-selected={each.id === props.chosen} tabIndex={each.id === props.chosen ? 0 : -1}
            onClick={() => props.onChoose(each.id)}>{each.title}</button>)}
    </div>;
}

// Copies a text. Without https there is no clipboard API: then an old way serves.
export async function copy(text: string, what: string): Promise<void> {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        const area = document.createElement('textarea');
        area.value = text;
        area.className = 'hidden';
        document.body.append(area);
        area.select();
        document.execCommand('copy');
        area.remove();
    }
    say(`${what} copied`);
}
