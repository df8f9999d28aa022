// A job's events. Their numbers run from 1 without gaps, so that a list of any length needs only
// those in sight: row n is event n. A filter has to look at all of them, and says how far it is.
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {get} from '../../api/client';
import {ended, type Job, type JobEvent} from '../../api/types';
import {listen} from '../../live/live';
import {amend, place} from '../../router';
import {copy, Fault, Panel} from '../../ui/basics';
import {clock, number, percent, whole} from '../../ui/format';
import {Json} from './json';

type Stored = JobEvent & {seq: number; time: string};

interface Page {
    items: Stored[];
    next: number | null;
}

const ROW = 30; // pixels
const PAGE = 200;
const SEARCH_PAGE = 2000;
const AT_ONCE = 25_000; // events that a filter looks at before it asks
const KEPT = 20_000; // in memory
const MOST_ROWS = 400_000; // browsers draw no taller element
const TYPES = ['state', 'epoch', 'trial', 'log', 'warning', 'checkpoint', 'end'];

function words(event: JobEvent): string {
    switch (event.type) {
    case 'state':
        return `${event.status}${event.attempt > 1 ? `, attempt ${event.attempt}` : ''}${event.reason ? `: ${event.reason}` : ''}`;
    case 'epoch': {
        const parts = [`epoch ${event.epoch} of ${event.epochs}`, `train ${number(event.train.data_loss)}`];
        if (event.validation)
            parts.push(`validation ${number(event.validation.data_loss)}`);
        const shown = event.validation ?? event.train;
        if (shown.accuracy !== undefined)
            parts.push(`accuracy ${percent(shown.accuracy)}`);
        else if (shown.rmse !== undefined)
            parts.push(`rmse ${number(shown.rmse)}`);
        if (event.nonfinite)
            parts.push(`not finite: ${Object.keys(event.nonfinite).join(', ')}`);
        return parts.join(' · ');
    }
    case 'trial':
        return `strength ${event.trial} of ${event.trials}: l1 ${event.l1}, l2 ${event.l2}, mean loss ${
            number(event.mean_data_loss)}, ${event.status}`;
    case 'log':
    case 'warning':
        return event.message;
    case 'checkpoint':
        return `epoch ${event.epoch}, step ${whole(event.step)}`;
    case 'end':
        return `${event.status}: ${event.stop_reason}`;
    default:
        return '';
    }
}

// The events of a job, by their number, read in pages when somebody looks at them.
class Book {
    readonly known = new Map<number, Stored>();
    count = 0;
    fault: unknown = null;
    private readonly asked = new Set<number>();
    private closed = false;

    constructor(private readonly id: string, private readonly changed: () => void) {}

    close(): void {
        this.closed = true;
    }

    async page(after: number, limit: number): Promise<Page> {
        const page = await get<Page>(`v1/jobs/${encodeURIComponent(this.id)}/events`, {query: {format: 'json', after, limit}});
        this.fault = null;
        return page;
    }

    // Everything behind what is known: how many there are.
    async reach(from: number): Promise<void> {
        let after: number | null = Math.max(this.count, from);
        try {
            while (after !== null && !this.closed) {
                const page: Page = await this.page(after, 1000);
                for (const event of page.items)
                    this.put(event);
                after = page.items.length ? page.next : null;
                this.count = Math.max(this.count, from);
            }
        } catch (fault) {
            this.fault = fault;
        }
        if (!this.closed)
            this.changed();
    }

    put(event: Stored): void {
        this.known.set(event.seq, event);
        if (this.known.size > KEPT) // those that came first; they are read again where somebody looks
            for (const seq of [...this.known.keys()].slice(0, KEPT / 4))
                this.known.delete(seq);
        this.count = Math.max(this.count, event.seq);
    }

    need(first: number, last: number): void {
        for (let page = Math.floor((first - 1) / PAGE); page <= Math.floor((last - 1) / PAGE); page++) {
            const from = Math.max(first, page * PAGE + 1);
            const to = Math.min(last, (page + 1) * PAGE, this.count);
            let lacks = false;
            for (let seq = from; seq <= to; seq++)
                lacks ||= !this.known.has(seq);
            if (!lacks || this.asked.has(page))
                continue;
            this.asked.add(page);
            this.page(page * PAGE, PAGE).then(got => {
                for (const event of got.items)
                    this.put(event);
            }, (fault: unknown) => (this.fault = fault)).finally(() => {
                this.asked.delete(page);
                if (!this.closed)
                    this.changed();
            });
        }
    }
}

// All events of one type, found page by page from the first on, and among those that are known anyway,
// as the last ones are. A very long row is looked through in parts: `more` goes on.
interface Search {
    found: Stored[];
    seen: number;
    limit: number;
}

function useFound(type: string, book: Book, revision: number): Search & {more: () => void} {
    const state = useRef<Search & {type: string; busy: boolean}>({type: '', found: [], seen: 0, limit: AT_ONCE, busy: false});
    const [turn, setTurn] = useState(0);
    if (state.current.type !== type)
        state.current = {type, found: [], seen: 0, limit: AT_ONCE, busy: false};
    const mine = state.current;
    useEffect(() => {
        if (!type || mine.busy)
            return;
        mine.busy = true;
        void (async () => {
            try {
                while (mine === state.current && mine.seen < Math.min(book.count, mine.limit)) {
                    const page = await book.page(mine.seen, SEARCH_PAGE);
                    if (!page.items.length)
                        break;
                    mine.found = [...mine.found, ...page.items.filter(event => event.type === type)];
                    mine.seen = page.items[page.items.length - 1]!.seq;
                    if (mine === state.current)
                        setTurn(count => count + 1);
                }
            } catch (fault) {
                book.fault = fault;
            }
            mine.busy = false;
        })();
    }, [type, book, revision, mine.limit]);
    useEffect(() => () => void (state.current = {...state.current, type: ''}), []);
    const found = useMemo(() => [...mine.found, ...[...book.known.values()].filter(event =>
        event.seq > mine.seen && event.type === type).sort((a, b) => a.seq - b.seq)], [mine.found, mine.seen, revision, turn]);
    const more = () => {
        mine.limit = mine.seen + 4 * AT_ONCE;
        setTurn(count => count + 1);
    };
    return {found, seen: mine.seen, limit: mine.limit, more};
}

export function Events({job}: {job: Job}) {
    const type = TYPES.find(each => each === place.value.query.get('type')) ?? '';
    const [revision, setRevision] = useState(0);
    const [top, setTop] = useState(0);
    const [height, setHeight] = useState(480);
    const [chosen, setChosen] = useState<Stored | null>(null);
    const [following, setFollowing] = useState(!ended(job.status));
    const box = useRef<HTMLDivElement>(null);
    const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
    const changed = () => {
        timer.current ??= setTimeout(() => {
            timer.current = null;
            setRevision(count => count + 1);
        }, 300);
    };
    const book = useMemo(() => new Book(job.id, changed), [job.id]);

    useEffect(() => {
        void book.reach(job.latest?.seq ?? 0);
        const stop = listen(event => {
            if (event.job !== job.id || !('seq' in event))
                return;
            book.put(event as Stored);
            changed();
        });
        return () => {
            stop();
            book.close();
        };
    }, [book]);

    const {found, seen, limit, more} = useFound(type, book, revision);
    const count = Math.min(MOST_ROWS, type ? found.length : book.count);
    const skipped = type ? 0 : book.count - count;
    const first = Math.max(0, Math.floor(top / ROW) - 10);
    const last = Math.min(count, Math.ceil((top + height) / ROW) + 10);
    useEffect(() => {
        if (!type && last > first)
            book.need(skipped + first + 1, skipped + last);
    }, [type, first, last, skipped, revision]);
    useEffect(() => {
        const it = box.current!;
        const measure = new ResizeObserver(() => setHeight(it.clientHeight));
        measure.observe(it);
        return () => measure.disconnect();
    }, []);
    useEffect(() => {
        if (following && box.current)
            box.current.scrollTop = box.current.scrollHeight;
    }, [following, count]);

    const rows = [];
    for (let k = first; k < last; k++) {
        const seq = skipped + k + 1;
        const event = type ? found[k] : book.known.get(seq);
        rows.push(<div role="row" key={event?.seq ?? seq} aria-rowindex={k + 2} class={`event ${event?.type ?? ''} ${
            chosen && event?.seq === chosen.seq ? 'chosen' : ''}`} style={{top: `${k * ROW}px`}}
            onClick={() => event && setChosen(event)}>
            <span role="cell" class="seq">{whole(event?.seq ?? seq)}</span>
            <span role="cell" class="when">{event ? clock(event.time) : ''}</span>
            <span role="cell" class="type">{event?.type ?? ''}</span>
            <span role="cell" class="words">{event ? <button class="row-button" title="Show all of it"
                onClick={() => setChosen(event)}>{words(event)}</button> : '…'}</span>
        </div>);
    }
    return <div class={chosen ? 'events-split' : 'stack'}>
        <Panel title="Events" aside={<>
            <span class="soft">{type ? `${whole(found.length)} of ${whole(book.count)}${seen < book.count
                ? `, looked at ${whole(seen)}` : ''}` : whole(book.count)}</span>
            <label>Type <select value={type} onChange={event => amend({type: event.currentTarget.value || null})}>
                <option value="">all</option>{TYPES.map(each => <option key={each} value={each}>{each}</option>)}</select></label>
            <label><input type="checkbox" checked={following} onChange={() => setFollowing(!following)} /> Follow</label></>}>
            {book.fault !== null && <><Fault fault={book.fault} /><p><button onClick={() => void book.reach(0)}>Try again</button></p></>}
            {type && seen >= limit && seen < book.count && <p class="soft">The first {whole(seen)} of {whole(book.count)} events were
                looked at, and the last ones. <button class="small" onClick={more}>Look further</button></p>}
            {skipped > 0 && <p class="soft">The first {whole(skipped)} are left off here; a filter finds them.</p>}
            <div class="event-list" ref={box} tabIndex={0} role="table" aria-label="Events" aria-rowcount={count + 1}
                onScroll={event => {
                    const it = event.currentTarget;
                    setTop(it.scrollTop);
                    if (following && it.scrollTop + it.clientHeight < it.scrollHeight - 3 * ROW)
                        setFollowing(false);
                }}>
                <div role="row" class="hidden" aria-rowindex={1}><span role="columnheader">Number</span><span
                    role="columnheader">Time</span><span role="columnheader">Type</span><span role="columnheader">What</span></div>
                <div role="rowgroup" class="event-rows" style={{height: `${count * ROW}px`}}>{rows}</div>
            </div>
            {count === 0 && (!type || seen < limit) && <p class="soft">{type && seen >= book.count ? `No event of type ${type}.` : 'Looking for events…'}</p>}
        </Panel>
        {chosen && <Panel class="chosen-event" title={`Event ${whole(chosen.seq)}: ${chosen.type}`} aside={<>
            <button class="small" onClick={() => void copy(JSON.stringify(chosen, null, 2), 'Event')}>Copy</button>
            <button class="small" onClick={() => setChosen(null)}>Close</button></>}>
            <Json value={chosen} label="The event" /></Panel>}
    </div>;
}
