// The runs beside the charts: their colours, which are seen, and who is pointed at.
import {useEffect, useRef} from 'preact/hooks';
import {effect, type Signal} from '@preact/signals';
import type {Job} from '../../api/types';
import {href} from '../../router';
import {jobName} from '../../ui/format';
import {runColour} from '../../ui/theme';
import {leaves} from '../../ui/touch';
import type {Runs} from './runs';
import {dashOf, setHidden, setRuns, type State} from './state';

export function Swatch({place}: {place: number}) {
    return <svg class="swatch" width="20" height="8" aria-hidden="true"><line x1="0" x2="20" y1="4" y2="4"
        style={{stroke: `var(${runColour(place)})`}} stroke-width="3"
            stroke-dasharray={dashOf(place).join(' ')} /></svg>;
}

// Marks the elements of the run that is pointed at (data-run) without drawing the others anew.
export function useHovered<E extends HTMLElement>(hovered: Signal<string | null>) {
    const root = useRef<E>(null);
    useEffect(() => effect(() => {
        const id = hovered.value;
        root.current?.querySelectorAll('.on').forEach(each => each.classList.remove('on'));
        if (id)
            root.current?.querySelectorAll(`[data-run="${CSS.escape(id)}"]`).forEach(each => each.classList.add('on'));
    }), []);
    return root;
}

interface Props {
    state: State;
    jobs: Map<string, Job>;
    runs: Runs;
    hovered: Signal<string | null>;
    onAdd: () => void;
}

export function RunList({state, jobs, runs, hovered, onAdd}: Props) {
    const {ids, hidden} = state;
    const turn = (id: string) => {
        const next = new Set(hidden);
        if (!next.delete(id))
            next.add(id);
        setHidden(next);
    };
    const root = useHovered<HTMLUListElement>(hovered);
    const {read, failed, all} = runs.progress();
    return <section class="panel run-list" aria-label="Runs">
        <header><h2>{ids.length === 1 ? '1 run' : `${ids.length} runs`}</h2>
            <div class="aside"><button class="small" onClick={onAdd}>Add or remove</button></div></header>
        <div class="run-tools">
            <button class="small" disabled={!hidden.size} onClick={() => setHidden([])}>Show all</button>
            <button class="small" disabled={hidden.size >= ids.length} onClick={() => setHidden(ids)}>Hide all</button>
            <span class="soft" role="status">{failed > 0 ? <>{failed} not read <button class="small"
                onClick={() => runs.again()}>Try again</button></>
                : read < all ? `${read} of ${all} read` : ''}</span>
        </div>
        <ul ref={root}>{ids.map((id, place) => {
            const job = jobs.get(id);
            const name = job ? jobName(job) : `…${id.slice(-8)}`;
            return <li key={id} data-run={id} class={hidden.has(id) ? 'off' : ''}
                onPointerEnter={() => (hovered.value = id)}
                onPointerLeave={event => leaves(event) && (hovered.value = null)}>
                <label title={name}><input type="checkbox" checked={!hidden.has(id)} onChange={() => turn(id)}
                    aria-label={`Show ${name}`}
                    onFocus={() => (hovered.value = id)} onBlur={() => (hovered.value = null)} />
                <Swatch place={place} /></label>
                {job ? <a class="clip" href={href(['jobs', id])} title={name}>{name}</a> : <span
                    class="clip soft">{name}, not there</span>}
                <button class="icon-button" title="Only this one" aria-label={`Show only ${name}`}
                    onClick={() => setHidden(ids.filter(each => each !== id))}><span
                        aria-hidden="true">◎</span></button>
                <button class="icon-button" title="Remove" aria-label={`Remove ${name}`}
                    onClick={() => setRuns(ids.filter(each => each !== id))}>
                    <span aria-hidden="true">×</span></button>
            </li>;
        })}</ul>
    </section>;
}
