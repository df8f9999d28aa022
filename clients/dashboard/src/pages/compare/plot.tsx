// One metric of all runs. uPlot gives axes, grid and the drag for a zoom; the curves are draw.ts's.
// Zoom and the run that is pointed at are shared with the other charts, the list and the table.
import {useEffect, useRef, useState} from 'preact/hooks';
import {effect, type Signal} from '@preact/signals';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import {isDragging} from '../../ui/drag';
import {leaves, touchable} from '../../ui/touch';
import {KEYS, zoomByKey} from '../../ui/zoom';
import {number, whole} from '../../ui/format';
import {colour, theme} from '../../ui/theme';
import {draw, nearest, rangeX, rangeY, type Curve, type Range, type View} from './draw';

const HEIGHT = 320;

export interface PlotProps {
    metric: string;
    xTitle: string;
    seconds: boolean; // x is not whole
    curves: Curve[]; // those to be seen
    logX: boolean;
    logY: boolean;
    zoom: Signal<Range | null>;
    hovered: Signal<string | null>;
}

function ranges(props: PlotProps): {x: Range; y: Range} {
    const all = rangeX(props.curves, props.logX);
    const zoom = props.zoom.peek(); // a zoom is drawn by the same chart, not by a new one
    const x: Range = zoom && (!props.logX || zoom[0] > 0) ? zoom : all;
    return {x, y: rangeY(props.curves, x, props.logY)};
}

function axes(): uPlot.Axis[] {
    const grid = {stroke: colour('--grid'), width: 1};
    const axis = {stroke: colour('--ink-2'), grid, ticks: {...grid, size: 4}, font: '11px system-ui, sans-serif'};
    const labels = (show: (value: number) => string) => (_: uPlot, values: (number | null)[]) =>
        values.map(value => (value === null ? '' : show(value)));
    return [{...axis, size: 30, values: labels(value => number(value, 4))},
        {...axis, size: 62, values: labels(value => number(value, 4))}];
}

export function Plot(props: PlotProps) {
    const box = useRef<HTMLDivElement>(null);
    const chart = useRef<uPlot | null>(null);
    const latest = useRef(props);
    latest.current = props;
    const [point, setPoint] = useState<{label: string; x: number; y: number; colour: string} | null>(null);
    const behind = useRef<HTMLCanvasElement>(null as unknown as HTMLCanvasElement);
    behind.current ??= document.createElement('canvas');
    const stale = useRef(true);
    const seen = useRef<Range | null>(null);
    const held = useRef<{x: Range; y: Range}>({x: [0, 1], y: [0, 1]});

    const viewOf = (u: uPlot): View => ({ctx: u.ctx, ...u.bbox, x: held.current.x, y: held.current.y,
        logX: latest.current.logX, logY: latest.current.logY});

    const refresh = () => {
        const {zoom} = latest.current;
        if (!isDragging() || zoom.value !== seen.current) // a hand may change it, data may not
            held.current = ranges(latest.current);
        seen.current = zoom.value;
        stale.current = true;
        const {x, y} = held.current;
        chart.current?.setData([x, y]);
    };

    // While one is pointed at, the picture of all is drawn once to a canvas behind the scenes: each
    // further move needs that picture, paler, and one curve.
    const paint = (u: uPlot) => {
        const {curves} = latest.current;
        const many = curves.length > 30;
        const on = latest.current.hovered.peek();
        const one = curves.find(each => each.id === on);
        const view = viewOf(u);
        if (!one) {
            draw(curves, view, many, false);
            return;
        }
        const picture = behind.current;
        const {width, height} = u.ctx.canvas;
        if (stale.current || picture.width !== width || picture.height !== height) {
            picture.width = width; // clears it, too
            picture.height = height;
            draw(curves, {...view, ctx: picture.getContext('2d')!}, many, false);
            stale.current = false;
        }
        u.ctx.save();
        u.ctx.globalAlpha = .22;
        u.ctx.drawImage(picture, 0, 0);
        u.ctx.restore();
        draw([one], view, many, true);
    };

    const pointAt = (u: uPlot, x: number, y: number, reach: number) => {
        const view = viewOf(u);
        const found = nearest(latest.current.curves, view, view.left + x * devicePixelRatio,
            view.top + y * devicePixelRatio, reach * devicePixelRatio);
        latest.current.hovered.value = found?.curve.id ?? null;
        setPoint(found && {label: found.curve.label, colour: found.curve.colour,
            x: found.curve.xs[found.at]!, y: (found.curve.raw ?? found.curve.ys)[found.at]!});
    };

    const touch = (u: uPlot) => touchable(u.over, {
        frame: () => u.over.getBoundingClientRect(),
        shown: () => held.current.x,
        whole: () => rangeX(latest.current.curves, latest.current.logX),
        log: () => latest.current.logX,
        place: (x, y) => {
            const box = u.over.getBoundingClientRect();
            const left = Math.min(box.width, Math.max(0, x - box.left)), top = Math.min(box.height, Math.max(0, y - box.top));
            u.setCursor({left, top});
            pointAt(u, left, top, Infinity); // a finger means one of them
        },
        range: next => {
            const all = rangeX(latest.current.curves, latest.current.logX);
            latest.current.zoom.value = next[0] <= all[0] && next[1] >= all[1] ? null : next;
        },
        reset: () => (latest.current.zoom.value = null),
    });

    useEffect(() => {
        const make = () => {
            stale.current = true;
            chart.current?.destroy();
            held.current = ranges(latest.current);
            const {logX, logY} = latest.current;
            const u = new uPlot({
                width: box.current!.clientWidth || 300,
                height: HEIGHT,
                padding: [8, 26, 0, 0],
                legend: {show: false},
                cursor: {
                    y: false,
                    points: {show: false},
                    drag: {x: true, y: false, setScale: false},
                    bind: {dblclick: () => () => {
                        latest.current.zoom.value = null;
                        return null;
                    }},
                },
                scales: {
                    x: {time: false, distr: logX ? 3 : 1, range: () => held.current.x},
                    y: {distr: logY ? 3 : 1, range: () => held.current.y},
                },
                axes: axes(),
                series: [{}, {paths: () => null, points: {show: false}}],
                hooks: {
                    draw: [paint],
                    setSelect: [each => {
                        if (each.select.width < 4)
                            return;
                        const from = each.posToVal(each.select.left, 'x');
                        const to = each.posToVal(each.select.left + each.select.width, 'x');
                        each.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
                        latest.current.zoom.value = [from, to];
                    }],
                },
            }, [held.current.x, held.current.y], box.current!);
            u.over.addEventListener('mousemove', event => pointAt(u, event.offsetX, event.offsetY, 60));
            touch(u);
            u.over.addEventListener('pointerleave', event => {
                if (!leaves(event))
                    return;
                latest.current.hovered.value = null;
                setPoint(null);
            });
            chart.current = u;
        };
        const stopTheme = effect(() => {
            void theme.value;
            make();
        });
        const stopHover = effect(() => {
            void latest.current.hovered.value;
            chart.current?.redraw(false, false);
        });
        const watch = new ResizeObserver(() => {
            const width = box.current?.clientWidth ?? 0;
            if (width && chart.current && chart.current.width !== width)
                chart.current.setSize({width, height: HEIGHT});
        });
        watch.observe(box.current!);
        return () => {
            stopTheme();
            stopHover();
            watch.disconnect();
            chart.current?.destroy();
            chart.current = null;
        };
    }, [props.logX, props.logY]);

    const zoom = props.zoom.value;
    useEffect(refresh, [props.curves, zoom]);

    const showX = (x: number) => (props.seconds ? number(x, 4) : whole(x));
    const any = props.curves.some(curve => curve.ys.some(Number.isFinite));
    const keys = (event: KeyboardEvent) => {
        const {min, max} = chart.current?.scales.x ?? {};
        if (event.target !== event.currentTarget || min === undefined || max === undefined)
            return;
        const ends = props.curves.filter(curve => curve.xs.length).map(curve => [curve.xs[0]!, curve.xs[curve.xs.length - 1]!]);
        const all: Range = [Math.min(...ends.map(each => each[0]!)), Math.max(...ends.map(each => each[1]!))];
        const next = zoomByKey(event, [min, max], all, props.logX);
        if (next) {
            event.preventDefault();
            props.zoom.value = next[0] <= all[0] && next[1] >= all[1] ? null : next;
        }
    };
    return <figure class="chart compare-plot" tabIndex={0} title={KEYS} onKeyDown={keys}>
        <figcaption class="hidden">{props.metric} of {props.curves.length} runs by {props.xTitle.toLowerCase()}.
            The figures stand in the table below.</figcaption>
        <div ref={box} class="plot" aria-hidden="true" />
        {!any && <p class="nothing soft">No figures of {props.metric} yet</p>}
        <div class="readout" aria-hidden="true">{point
            ? <><i class="dot" style={{background: `var(${point.colour})`}} /><span class="clip">{point.label}</span>
                <span class="soft">{props.xTitle.toLowerCase()} {showX(point.x)}</span> <b>{number(point.y, 5)}</b></>
            : <span class="soft hint">{props.xTitle}. Drag or pinch to zoom, click or tap twice for the whole</span>}</div>
    </figure>;
}
