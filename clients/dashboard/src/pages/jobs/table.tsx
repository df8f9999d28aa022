// The table of jobs, of which only what is in sight is in the page. It is a grid to a reader without
// eyes: rows carry their place among all. On wide screens it scrolls in its own box under a head that
// stays; on narrow ones rows become cards and the page scrolls. Either way what is in sight follows
// from where the rows' box lies, and all rows are of one height.
import {useEffect, useLayoutEffect, useMemo, useRef, useState} from 'preact/hooks';
import {go} from '../../router';
import {COLUMNS, Row} from './row';
import {range, selected, select, selectAll, toggle} from './selection';

const ROW_PX = 52;
const CARD_PX = 148;
const BEYOND = 6; // rows drawn above and below what is in sight

const narrow = matchMedia('(max-width: 720px)');

interface Props {
    ids: string[];
    sort: string;
    onSort: (sort: string) => void;
    onLabel: (label: string) => void;
}

function Head({sort, onSort, ids}: Props) {
    const box = useRef<HTMLInputElement>(null);
    const chosen = selected.value;
    const count = ids.reduce((sum, id) => sum + (chosen.has(id) ? 1 : 0), 0);
    useLayoutEffect(() => {
        box.current!.indeterminate = count > 0 && count < ids.length;
    });
    const turned = (id: string) => {
        const down = sort === `-${id}`;
        const up = sort === id;
        // Names from a, losses from the least; dates and rates from the largest.
        const first = /created|speed|progress|time/.test(id) ? `-${id}` : id;
        onSort(down || up ? (down ? id : `-${id}`) : first);
    };
    return <thead role="rowgroup"><tr role="row" aria-rowindex={1}>
        <th class="c-pick" role="columnheader"><input ref={box} type="checkbox"
            checked={count > 0 && count === ids.length}
            aria-label="Select all shown" title="Select all shown"
                onChange={() => selectAll(count === ids.length ? [] : ids)} /></th>
        {COLUMNS.map(({id, name, title}) => {
            const order = sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : undefined;
            return <th key={name} class={name} role="columnheader" aria-sort={order}>
                {id ? <button class="sorter" onClick={() => turned(id)} title={`Sort by ${title.toLowerCase()}`}>{title}
                    <span aria-hidden="true" class="arrow">{order === 'ascending' ? '↑' : order === 'descending' ? '↓'
                        : ''}</span>
                </button> : title}
            </th>;
        })}
        <th class="c-actions" role="columnheader"><span class="hidden">Actions</span></th>
    </tr></thead>;
}

export function JobTable(props: Props) {
    const {ids} = props;
    const box = useRef<HTMLDivElement>(null);
    const body = useRef<HTMLTableSectionElement>(null);
    const [card, setCard] = useState(narrow.matches);
    const height = card ? CARD_PX : ROW_PX;
    const [sight, setSight] = useState<[number, number]>([0, 20]);
    const [active, setActive] = useState(0);
    const anchor = useRef<string | null>(null); // where a range begins
    const now = useRef({ids, height, active});
    now.current = {ids, height, active: Math.min(active, Math.max(0, ids.length - 1))};

    const look = () => {
        if (!body.current || !box.current)
            return;
        const rows = body.current.getBoundingClientRect();
        const clip = box.current.getBoundingClientRect();
        const {height: px, ids: {length}} = now.current;
        const top = Math.max(0, clip.top) - rows.top;
        const bottom = Math.min(innerHeight, clip.bottom) - rows.top;
        const from = Math.max(0, Math.min(length - 1, Math.floor(top / px) - BEYOND));
        const to = Math.min(length, Math.max(0, Math.ceil(bottom / px)) + BEYOND);
        setSight(old => (old[0] === from && old[1] === to ? old : [from, to]));
    };

    useLayoutEffect(look, [ids.length, height]);
    // A row that goes while the keyboard is in it leaves it to the row that takes its place.
    const keyboard = useRef<HTMLElement | null>(null);
    useEffect(() => {
        if (keyboard.current && !keyboard.current.isConnected && document.activeElement === document.body)
            focusRow(now.current.active);
    }, [ids]);
    const leave = () => setTimeout(() => {
        if (keyboard.current?.isConnected && !body.current?.contains(document.activeElement))
            keyboard.current = null;
    });
    useEffect(() => {
        let frame = 0;
        const soon = () => (frame ||= requestAnimationFrame(() => {
            frame = 0;
            look();
        }));
        const turn = () => setCard(narrow.matches);
        const watch = new ResizeObserver(soon);
        watch.observe(box.current!);
        addEventListener('scroll', soon, {capture: true, passive: true});
        addEventListener('resize', soon);
        narrow.addEventListener('change', turn);
        return () => {
            cancelAnimationFrame(frame);
            watch.disconnect();
            removeEventListener('scroll', soon, true);
            removeEventListener('resize', soon);
            narrow.removeEventListener('change', turn);
        };
    }, []);

    // The row that has the keyboard stays in the page wherever the view is.
    const current = now.current.active;
    const shown: number[] = [];
    for (let k = sight[0]; k < Math.min(sight[1], ids.length); k++)
        shown.push(k);
    if (ids.length && !shown.includes(current))
        current < sight[0] ? shown.unshift(current) : shown.push(current);

    const focusRow = (index: number) => {
        setActive(index);
        const {ids: all, height: px} = now.current;
        if (!all.length)
            return;
        const head = card ? 0 : box.current!.querySelector('thead')!.offsetHeight;
        const rows = body.current!.getBoundingClientRect();
        const clip = box.current!.getBoundingClientRect();
        const top = rows.top + index * px;
        const above = Math.max(0, clip.top) + head + (card ? 110 : 0) - top;
        const below = top + px - Math.min(innerHeight, clip.bottom);
        const by = above > 0 ? -above : below > 0 ? below : 0;
        if (card)
            scrollBy(0, by);
        else
            box.current!.scrollTop += by;
        look();
        requestAnimationFrame(() =>
            body.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({preventScroll: true}));
    };

    const onKey = (event: KeyboardEvent) => {
        const target = event.target as HTMLElement;
        const row = target.closest<HTMLElement>('tr.job');
        const {ids: all, active: at} = now.current;
        if (event.key === 'Escape' && selected.peek().size) {
            selectAll([]);
            return;
        }
        if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            selectAll(all);
            return;
        }
        if (!row || event.altKey || event.ctrlKey || event.metaKey)
            return;
        const page = Math.max(1, Math.floor(Math.min(innerHeight, box.current!.clientHeight) / now.current.height) - 2);
        const steps: Record<string, number> = {ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page,
            PageUp: at - page,
            Home: 0, End: all.length - 1};
        if (event.key in steps) {
            event.preventDefault();
            const to = Math.max(0, Math.min(all.length - 1, steps[event.key]!));
            if (event.shiftKey) {
                anchor.current ??= all[at]!;
                range(all, anchor.current, all[to]!);
            }
            focusRow(to);
        } else if (target === row && event.key === ' ') {
            event.preventDefault();
            anchor.current = row.dataset.id!;
            toggle(row.dataset.id!);
        } else if (target === row && event.key === 'Enter') {
            go(['jobs', row.dataset.id!]);
        } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
            // To what a row holds: its box, name, labels, buttons.
            const parts = [row, ...row.querySelectorAll<HTMLElement>('input, a, button')];
            parts[parts.indexOf(target) + (event.key === 'ArrowRight' ? 1 : -1)]?.focus();
            event.preventDefault();
        }
    };

    const calls = useMemo(() => ({
        pick(index: number, event: MouseEvent, inBox: boolean) {
            const id = now.current.ids[index]!;
            setActive(index);
            if (event.shiftKey && anchor.current && now.current.ids.includes(anchor.current)) {
                range(now.current.ids, anchor.current, id);
                getSelection()?.removeAllRanges();
            } else if (inBox || event.ctrlKey || event.metaKey) {
                toggle(id);
                anchor.current = id;
            } else if (event.shiftKey) {
                select([id]);
                anchor.current = id;
            } else {
                anchor.current = id;
            }
        },
    }), []);

    const chosen = selected.value;
    const rows = [];
    let next = 0;
    const gap = (to: number) => {
        if (to > next)
            rows.push(<tr key={`gap${next}`} class="gap" role="presentation" aria-hidden="true">
                <td role="presentation" style={{height: `${(to - next) * height}px`}} /></tr>);
    };
    for (const k of shown) {
        gap(k);
        const id = ids[k]!;
        rows.push(<Row key={id} id={id} index={k} selected={chosen.has(id)} active={k === current}
            onPick={calls.pick} onLabel={props.onLabel} />);
        next = k + 1;
    }
    gap(ids.length);

    return <div class="jobs-box" ref={box}>
        <table class="jobs" role="grid" aria-label="Jobs" aria-rowcount={ids.length + 1} aria-multiselectable="true"
            onKeyDown={onKey}>
            <Head {...props} />
            <tbody ref={body} role="rowgroup" onFocusIn={event => (keyboard.current = event.target as HTMLElement)}
                onFocusOut={leave}>{rows}</tbody>
        </table>
    </div>;
}
