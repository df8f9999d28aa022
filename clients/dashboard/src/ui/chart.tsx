// Line charts on uPlot. A chart keeps its zoom while data comes in; a double click, Escape or the
// button leads back to the whole, and keys (zoom.ts) and fingers (touch.ts) zoom as well. Charts that share
// a `group` share cursor and zoom.
//
// A canvas says nothing to a screen reader: `summary` does, and the figures of the cursor's place
// stand as text below.
import {useEffect, useRef, useState} from 'preact/hooks';
import {effect, useSignal} from '@preact/signals';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import {colour, theme} from './theme';
import {number} from './format';
import {nearest} from './ascending';
import {isDragging} from './drag';
import {tickLabels} from './ticks';
import {touchable} from './touch';
import {KEYS, zoomByKey, type Range} from './zoom';

export interface Line {
    label: string;
    colour: string; // a CSS variable: "--train"
    values: (number | null)[];
    dash?: number[];
    width?: number;
    points?: boolean; // dots instead of a line
    hidden?: boolean;
}

// A vertical mark at x.
export interface Mark {
    x: number;
    label: string;
    colour?: string;
}

export interface ChartProps {
    title: string;
    x: number[]; // ascending
    lines: Line[];
    xLabel?: string; // "epoch"
    log?: boolean;
    logX?: boolean;
    height?: number;
    group?: string;
    marks?: Mark[];
    format?: (value: number) => string;
    formatX?: (value: number) => string;
    summary: string; // what a reader without eyes is told
    plugins?: uPlot.Plugin[]; // made once
    legend?: boolean; // default: true
    bare?: boolean; // without heading: the caller has one
    onZoom?: (zoomed: boolean) => void; // a caller may then fetch more points
}

// Between epochs there is nothing to name.
const WHOLE = Array.from({length: 30}, (_, k) => [1, 2, 5][k % 3]! * 10 ** Math.floor(k / 3));

const syncs = new Map<string, Set<uPlot>>();

function drawMarks(marks: () => Mark[]): uPlot.Plugin {
    return {
        hooks: {
            draw: u => {
                const {ctx, bbox} = u;
                ctx.save();
                ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
                for (const mark of marks()) {
                    const at = u.valToPos(mark.x, 'x', true);
                    if (!(at >= bbox.left && at <= bbox.left + bbox.width))
                        continue;
                    const ink = colour(mark.colour ?? '--ink-2');
                    ctx.strokeStyle = ctx.fillStyle = ink;
                    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
                    ctx.lineWidth = devicePixelRatio;
                    ctx.beginPath();
                    ctx.moveTo(at, bbox.top);
                    ctx.lineTo(at, bbox.top + bbox.height);
                    ctx.stroke();
                    const width = ctx.measureText(mark.label).width;
                    const right = at + 4 + width < bbox.left + bbox.width;
                    ctx.textAlign = right ? 'left' : 'right';
                    ctx.fillText(mark.label, right ? at + 4 * devicePixelRatio : at - 4 * devicePixelRatio,
                        bbox.top + 12 * devicePixelRatio);
                }
                ctx.restore();
            },
        },
    };
}

const DIGIT_WIDTH = 6.5; // of the axes' font

// Half of the label under the right end stands beyond it.
function lastLabelWidth(u: uPlot, format: (value: number) => string): number {
    const {max} = u.scales.x ?? {};
    return typeof max === 'number' ? Math.max(12, Math.ceil(format(max).length * DIGIT_WIDTH / 2) + 2) : 12;
}

function options(props: ChartProps, width: number, marks: () => Mark[], onZoom: (u: uPlot) => void,
    onCursor: (u: uPlot) => void): uPlot.Options {
    const ink = colour('--ink-2');
    const grid = {stroke: colour('--grid'), width: 1};
    const axis = {stroke: ink, grid, ticks: {...grid, size: 4}, font: '11px system-ui, sans-serif'};
    const format = props.format ?? (value => number(value, 4));
    const formatX = props.formatX ?? (value => String(value));
    const labels = (show: (value: number) => string) => (_: uPlot, values: (number | null)[]) =>
        values.map(value => (value === null ? '' : show(value)));
    return {
        width,
        height: props.height ?? 240,
        padding: [8, u => lastLabelWidth(u, formatX), 0, 0],
        legend: {show: false},
        cursor: {
            drag: {x: true, y: false, setScale: true},
            points: {size: 6},
            ...(props.group ? {sync: {key: props.group}} : {}),
        },
        scales: {
            x: {time: false, distr: props.logX ? 3 : 1},
            y: {distr: props.log ? 3 : 1},
        },
        axes: [
            {...axis, size: 30, values: labels(formatX),
                ...(props.logX || !props.x.every(Number.isInteger) ? {} : {incrs: WHOLE})},
            {...axis, size: 62, values: (_, values) => tickLabels(values, format)},
        ],
        series: [
            {label: props.xLabel ?? 'x'},
            ...props.lines.map(line => ({
                label: line.label,
                stroke: colour(line.colour),
                width: line.width ?? 1.75,
                show: !line.hidden,
                spanGaps: false,
                ...(line.dash ? {dash: line.dash} : {}),
                ...(line.points ? {paths: () => null, points: {show: true, size: 6, fill: colour(line.colour)}}
                    : {points: {show: (_: uPlot, __: number, from: number, to: number) => to - from < 40, size: 4}}),
            })),
        ],
        plugins: [drawMarks(marks), ...(props.plugins ?? [])],
        hooks: {setScale: [(u, key) => key === 'x' && onZoom(u)], setCursor: [onCursor]},
    };
}

// uPlot's types leave out whether those of the group are told.
type SetCursor = (at: {left: number; top: number}, fire: boolean, publish: boolean) => void;

// The cursor stands where the finger is, in the charts of the group, too.
function touch(u: uPlot, latest: {current: ChartProps}, reset: () => void): void {
    touchable(u.over, {
        frame: () => u.over.getBoundingClientRect(),
        shown: () => rangeOf(u.scales.x!),
        whole: () => {
            const {x} = latest.current;
            return x.length > 1 ? [x[0]!, x[x.length - 1]!] : null;
        },
        log: () => !!latest.current.logX,
        place: (x, y) => {
            const box = u.over.getBoundingClientRect();
            (u.setCursor as SetCursor)({left: Math.min(box.width, Math.max(0, x - box.left)),
                top: Math.min(box.height, Math.max(0, y - box.top))}, true, true);
        },
        range: ([min, max]) => u.setScale('x', {min, max}),
        reset,
    });
}

const rangeOf = ({min, max}: {min?: number; max?: number}): Range | null =>
    (min === undefined || max === undefined ? null : [min, max]);

export function Chart(props: ChartProps) {
    const box = useRef<HTMLDivElement>(null);
    const chart = useRef<uPlot | null>(null);
    const zoomed = useRef(false);
    const held = useRef<{min: number; max: number} | null>(null); // of a chart that is made anew
    const axis = useRef(props.xLabel);
    const quiet = useRef(false); // our own change of scale is no zoom
    const marks = useRef<Mark[]>([]);
    const [isZoomed, setZoomed] = useState(false);
    const cursor = useSignal<number | null>(null);
    const latest = useRef(props);
    latest.current = props;
    marks.current = props.marks ?? [];

    const data = () => [latest.current.x, ...latest.current.lines.map(line => line.values)] as uPlot.AlignedData;

    const noteZoom = (u: uPlot) => {
        if (quiet.current)
            return;
        const {min, max} = u.scales.x!;
        const x = latest.current.x;
        const whole = min === x[0] && max === x[x.length - 1];
        zoomed.current = !whole;
        setZoomed(!whole);
        latest.current.onZoom?.(!whole);
        // The others of the group follow.
        const group = latest.current.group;
        if (group && min !== undefined && max !== undefined)
            for (const other of syncs.get(group) ?? [])
                if (other !== u && (other.scales.x!.min !== min || other.scales.x!.max !== max))
                    other.setScale('x', {min: min!, max: max!});
    };

    const reset = () => {
        const u = chart.current;
        const x = latest.current.x;
        if (u && x.length)
            u.setScale('x', {min: x[0]!, max: x[x.length - 1]!});
    };

    // What needs a new chart: the number of lines and their looks, the scales, the theme.
    const shape = JSON.stringify([props.lines.map(line => [line.label, line.colour, line.dash, line.points, line.width]),
        props.log, props.logX, props.height, props.group, props.xLabel]);

    useEffect(() => {
        if (axis.current !== props.xLabel) { // epochs are no seconds
            held.current = null;
            zoomed.current = false;
            setZoomed(false);
        }
        axis.current = props.xLabel;
        const hold = () => {
            const {min, max} = chart.current?.scales.x ?? {};
            if (chart.current)
                held.current = zoomed.current && min !== undefined && max !== undefined ? {min, max} : null;
        };
        const make = () => {
            hold();
            chart.current?.destroy();
            quiet.current = true;
            const u = new uPlot(options(latest.current, box.current!.clientWidth || 300, () => marks.current,
                noteZoom, each => (cursor.value = xUnder(each))), data(), box.current!);
            if (held.current)
                u.setScale('x', held.current);
            chart.current = u;
            touch(u, latest, reset);
            queueMicrotask(() => (quiet.current = false));
            const {group} = latest.current;
            if (group) {
                if (!syncs.has(group))
                    syncs.set(group, new Set());
                syncs.get(group)!.add(u);
            }
        };
        const stop = effect(() => {
            void theme.value;
            const old = chart.current;
            make();
            if (old && latest.current.group)
                syncs.get(latest.current.group)?.delete(old);
        });
        const watch = new ResizeObserver(() => {
            const width = box.current?.clientWidth ?? 0;
            if (width && chart.current && chart.current.width !== width)
                chart.current.setSize({width, height: latest.current.height ?? 240});
        });
        watch.observe(box.current!);
        return () => {
            stop();
            watch.disconnect();
            for (const [name, group] of syncs)
                if (group.delete(chart.current!) && !group.size)
                    syncs.delete(name);
            hold();
            chart.current?.destroy();
            chart.current = null;
        };
    }, [shape]);

    useEffect(() => {
        const u = chart.current;
        if (!u)
            return;
        quiet.current = true;
        props.lines.forEach((line, k) => {
            if (u.series[k + 1]!.show === !!line.hidden)
                u.setSeries(k + 1, {show: !line.hidden});
        });
        const stays = zoomed.current || isDragging();
        u.setData(data(), !stays);
        if (stays)
            u.redraw(true, true);
        queueMicrotask(() => (quiet.current = false));
    }, [props.x, props.lines]);

    const keys = (event: KeyboardEvent) => {
        const {x, logX} = latest.current;
        const {min, max} = chart.current?.scales.x ?? {};
        if (event.target !== event.currentTarget || x.length < 2 || min === undefined || max === undefined)
            return;
        const next = zoomByKey(event, [min, max], [x[0]!, x[x.length - 1]!], logX);
        if (next) {
            event.preventDefault();
            chart.current!.setScale('x', {min: next[0], max: next[1]});
        }
    };

    return <figure class="chart" tabIndex={0} title={KEYS} onKeyDown={keys}>
        <figcaption class={props.bare ? 'hidden' : ''}>{props.title}<span class="hidden">. {props.summary}</span></figcaption>
        {isZoomed && <button class="small zoom-out" onClick={event => {
            event.currentTarget.closest('figure')!.focus(); // the button goes
            reset();
        }}>Whole range</button>}
        <div ref={box} class="plot" aria-hidden="true" />
        {props.legend !== false && <Legend {...props} cursor={cursor} />}
    </figure>;
}

// The x under the cursor. Its index would mean another one as soon as the points are thinned out.
function xUnder(u: uPlot): number | null {
    const {idx} = u.cursor;
    return idx === null || idx === undefined ? null : u.data[0][idx] ?? null;
}

function Legend(props: ChartProps & {cursor: {value: number | null}}) {
    const at = props.cursor.value === null ? props.x.length - 1 : nearest(props.x, props.cursor.value);
    const format = props.format ?? (value => number(value, 4));
    return <div class="legend">
        <span class="soft">{props.xLabel ?? 'x'} {at >= 0 && at < props.x.length ? (props.formatX ?? String)(props.x[at]!) : '–'}</span>
        {props.lines.filter(line => !line.hidden).map(line => {
            const value = line.values[at];
            return <span key={line.label}>
                <svg class="swatch" width="18" height="8" aria-hidden="true"><line x1="0" x2="18" y1="4" y2="4"
                    style={{stroke: `var(${line.colour})`}} stroke-width="2.5"
                    stroke-dasharray={line.dash?.join(' ')} /></svg>
                {line.label} <b>{value === null || value === undefined ? '–' : format(value)}</b>
            </span>;
        })}
    </div>;
}
