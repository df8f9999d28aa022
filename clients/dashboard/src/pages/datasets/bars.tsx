// Histograms and counts as small bars. The figures stand as text for those who do not see bars.
import {useState} from 'preact/hooks';
import {leaves} from '../../ui/touch';
import {number, percent, whole} from '../../ui/format';
import type {ColumnSummary} from './summary';

const peak = (counts: number[]): number => counts.reduce((a, b) => Math.max(a, b), 1);

// A column in a row of the table: 128 × 30 pixels.
export function Spark({column}: {column: ColumnSummary}) {
    const counts = column.histogram?.counts ?? [...(column.top ?? []).map(each => each.count),
        ...(column.other_count ? [column.other_count] : [])];
    if (!counts.length)
        return <span class="soft">–</span>;
    const most = peak(counts), width = 128 / counts.length, gap = counts.length > 16 ? .5 : 2;
    return <svg class="column-spark" viewBox="0 0 128 30" aria-hidden="true">
        {counts.map((count, k) => count > 0 && <rect key={k} x={k * width} width={Math.max(.5, width - gap)}
            y={29 - Math.max(1.5, 27 * count / most)} height={Math.max(1.5, 27 * count / most)}
            opacity={column.other_count && !column.histogram && k === counts.length - 1 ? .45 : 1} />)}
        <line class="floor" x1="0" x2="128" y1="29.5" y2="29.5" />
    </svg>;
}

// The whole histogram; the bin below the pointer is told.
export function Histogram({column}: {column: ColumnSummary}) {
    const [at, setAt] = useState<number | null>(null);
    const {edges, counts} = column.histogram!;
    const most = peak(counts), sum = counts.reduce((a, b) => a + b, 0), width = 320 / counts.length;
    const first = edges[0]!, last = edges[edges.length - 1]!;
    const bin = at === null ? null : `${number(edges[at])} to ${number(edges[at + 1] ?? last)}: ${whole(counts[at])} rows, `
        + percent(counts[at]! / Math.max(1, sum), 1);
    const fullest = counts.indexOf(most);
    return <figure class="chart">
        <svg class="column-histogram" viewBox="0 0 320 120" role="img" preserveAspectRatio="none" height="120"
            aria-label={`Histogram of ${column.name}: ${counts.length} bins from ${number(first)} to ${number(last)}; most rows, `
                + `${whole(most)}, from ${number(edges[fullest])} to ${number(edges[fullest + 1] ?? last)}`}
            onPointerLeave={event => leaves(event) && setAt(null)}>
            {counts.map((count, k) => <g key={k} onPointerEnter={() => setAt(k)}>
                {count > 0 && <rect x={k * width + .5} width={Math.max(1, width - 1)} opacity={at === null || at === k ? 1 : .55}
                    y={118 - Math.max(1, 114 * count / most)} height={Math.max(1, 114 * count / most)} />}
                <rect class="hit" x={k * width} width={width} y="0" height="120" />
            </g>)}
            <line class="floor" x1="0" x2="320" y1="119" y2="119" />
        </svg>
        <div class="column-ends" aria-hidden="true"><span>{number(first)}</span><span>{bin}</span><span>{number(last)}</span></div>
    </figure>;
}

// Values with their counts; `rest`: what is not among them.
export function Bars(props: {of: {value: string; count: number}[]; rest?: {label: string; count: number} | null; long?: boolean}) {
    const all = [...props.of, ...(props.rest && props.rest.count ? [{value: props.rest.label, count: props.rest.count}] : [])];
    const most = peak(all.map(each => each.count));
    const sum = Math.max(1, all.reduce((total, each) => total + each.count, 0));
    return <ul class={`count-bars ${props.long ? 'long' : ''}`} {...(props.long ? {tabIndex: 0} : {})}>
        {all.map(({value, count}, k) => <li key={k} class={k >= props.of.length ? 'count-rest' : ''}>
            <span class="count-value" title={value}>{value === '' ? '(empty)' : value}</span>
            <span class="count-bar" aria-hidden="true"><i style={{width: `${100 * count / most}%`}} /></span>
            <span class="number">{whole(count)} <span class="soft">{percent(count / sum, 1)}</span></span>
        </li>)}
    </ul>;
}
