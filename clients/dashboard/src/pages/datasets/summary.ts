// What a dataset's columns hold. The server has a worker make it at the first request: until it is
// there the answer is 503 with Retry-After, and we ask again.
import {useEffect, useState} from 'preact/hooks';
import {get, Problem} from '../../api/client';

export interface ColumnSummary {
    name: string;
    type: string;
    missing: number;
    distinct: number | null;
    constant: boolean;
    min?: number | null;
    max?: number | null;
    mean?: number | null;
    std?: number | null;
    quantiles?: Record<string, number> | null;
    histogram?: {edges: number[]; counts: number[]} | null;
    top?: {value: string; count: number}[];
    other_values?: number;
    other_count?: number;
}

export interface Summary {
    dataset: string;
    rows: number;
    format: string;
    columns_count: number;
    nonzeros?: number;
    target: {
        name: string;
        kind: 'classes' | 'number';
        because: string;
        classes?: {value: string; count: number}[];
        classes_count?: number;
        missing: number;
    } | null; // an array without labels has none
    constant_columns: string[];
    constant_count: number;
    columns: ColumnSummary[];
}

export const PAGE = 1000; // columns that come at once
const kept = new Map<string, Summary>(); // a dataset's id never changes its content
const KEPT = 8;

function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((done, fail) => {
        const timer = setTimeout(done, ms);
        signal.addEventListener('abort', () => {
            clearTimeout(timer);
            fail(new DOMException('left', 'AbortError'));
        }, {once: true});
    });
}

// `columns` as the query says it: names or positions between commas; empty: the first PAGE.
export async function readSummary(id: string, columns: string, signal: AbortSignal): Promise<Summary> {
    const key = `${id} ${columns}`;
    for (;;) {
        const known = kept.get(key);
        if (known)
            return known;
        try {
            const summary = await get<Summary>(`v1/datasets/${encodeURIComponent(id)}/summary`,
                {query: {columns: columns || null}, signal});
            if (id.startsWith('ds_')) {
                kept.set(key, summary);
                if (kept.size > KEPT)
                    kept.delete(kept.keys().next().value!);
            }
            return summary;
        } catch (fault) {
            if (!(fault instanceof Problem) || fault.code !== 'summary_not_ready')
                throw fault;
            await pause(2000, signal);
        }
    }
}

export interface SummaryState {
    summary: Summary | null;
    fault: unknown;
    slow: boolean; // it takes longer than a blink
}

// id null: none yet.
export function useSummary(id: string | null, columns = ''): SummaryState {
    const [state, setState] = useState<SummaryState & {of: string}>({summary: null, fault: null, slow: false, of: ''});
    const of = `${id} ${columns}`;
    useEffect(() => {
        if (!id)
            return undefined;
        const stop = new AbortController();
        const slow = setTimeout(() => setState({summary: null, fault: null, slow: true, of}), 700);
        const done = (summary: Summary | null, fault: unknown) => {
            clearTimeout(slow);
            if (!stop.signal.aborted)
                setState({summary, fault, slow: false, of});
        };
        readSummary(id, columns, stop.signal).then(summary => done(summary, null), fault => done(null, fault));
        return () => {
            clearTimeout(slow);
            stop.abort();
        };
    }, [of]);
    return state.of === of ? state : {summary: null, fault: null, slow: false};
}
