// The frame of this page's pictures: axes, grid, a crosshair, and zoom by dragging or by fingers. They are
// SVG and not canvases: their points are few, their marks are words, and SVG follows the colours by itself.
//
// The zoom belongs to the caller, so that it lasts while trials come in, and a link can say it.
import type {ComponentChildren} from 'preact';
import {useEffect, useId, useRef, useState} from 'preact/hooks';
import {tickText, type Scale} from '../../ui/scale';
import {leaves, touchable} from '../../ui/touch';
import {useWidth} from '../../ui/width';

export const MARGIN = {left: 58, right: 14, top: 26, bottom: 40};

export interface Geometry {
    width: number;
    left: number;
    right: number;
    top: number;
    bottom: number;
}

export function useGeometry(height: number): [{current: HTMLDivElement | null}, Geometry] {
    const box = useRef<HTMLDivElement>(null);
    const width = useWidth(box);
    return [box, {width, left: MARGIN.left, right: Math.max(MARGIN.left + 40, width - MARGIN.right),
        top: MARGIN.top, bottom: height - MARGIN.bottom}];
}

interface PlotProps {
    box: {current: HTMLDivElement | null};
    g: Geometry;
    height: number;
    x: Scale;
    y: Scale;
    xTitle: string;
    yTitle: string;
    summary: string;
    yFormat?: (value: number) => string;
    onPlace?: (x: number | null, y: number) => void; // the pointer, in pixels
    onZoom?: (range: [number, number] | null) => void;
    whole?: [number, number]; // the least and the greatest of all, beside 0, that can be zoomed to
    children: ComponentChildren;
}

// 0's place is no part of the axis: who comes to the least value has it in sight as well.
function fingers(latest: {current: PlotProps}): Parameters<typeof touchable>[1] {
    const box = () => latest.current.box.current!.getBoundingClientRect();
    return {
        frame: () => {
            const {x} = latest.current, left = x.at(x.low);
            return {left: box().left + left, width: x.at(x.high) - left};
        },
        shown: () => (latest.current.onZoom ? [latest.current.x.low, latest.current.x.high] : null),
        whole: () => latest.current.whole ?? null,
        log: () => latest.current.x.log,
        place: (x, y) => {
            const {g, onPlace} = latest.current, {left, top} = box();
            onPlace?.(Math.min(g.right, Math.max(g.left, x - left)), y - top);
        },
        range: ([from, to]) => {
            const {whole, onZoom, x} = latest.current;
            const least = from <= whole![0], most = to >= whole![1];
            onZoom?.(least && most ? null : [least && x.log ? 0 : from, to]);
        },
        reset: () => latest.current.onZoom?.(null),
    };
}

export function Plot(props: PlotProps) {
    const {g, height, x, y, onZoom} = props;
    const [drag, setDrag] = useState<[number, number] | null>(null);
    const clip = useId();
    const format = props.yFormat ?? tickText;
    const place = (event: PointerEvent) => {
        const rect = props.box.current!.getBoundingClientRect();
        return {px: Math.min(g.right, Math.max(g.left, event.clientX - rect.left)), py: event.clientY - rect.top};
    };
    const picture = useRef<SVGSVGElement>(null);
    const latest = useRef(props);
    latest.current = props;
    const drawn = g.width > 0;
    useEffect(() => (drawn ? touchable(picture.current!, fingers(latest)) : undefined), [drawn]);
    const finish = () => {
        if (drag && onZoom && Math.abs(drag[1] - drag[0]) > 8) {
            const [a, b] = [Math.min(...drag), Math.max(...drag)];
            const edge = x.zero !== null && a <= x.zero + 20 ? 0 : x.from(a);
            onZoom([edge, x.from(b)]);
        }
        setDrag(null);
    };
    return <div ref={props.box} class="plot-box" style={{height: `${height}px`}} role="img" aria-label={props.summary}>
        {g.width > 0 && <svg ref={picture} width={g.width} height={height} aria-hidden="true"
            onPointerMove={event => {
                if (event.pointerType === 'touch')
                    return;
                const {px, py} = place(event);
                props.onPlace?.(px, py);
                if (drag)
                    setDrag([drag[0], px]);
            }}
            onPointerLeave={event => leaves(event) && props.onPlace?.(null, 0)}
            onPointerDown={event => {
                if (!onZoom || event.button !== 0 || event.pointerType === 'touch')
                    return;
                (event.currentTarget as Element).setPointerCapture(event.pointerId);
                setDrag([place(event).px, place(event).px]);
            }}
            onPointerUp={finish} onDblClick={() => onZoom?.(null)}>
            {y.ticks.map(value => <g key={value}>
                <line class="grid-line" x1={g.left} x2={g.right} y1={y.at(value)} y2={y.at(value)} />
                <text class="tick" text-anchor="end" x={g.left - 7} y={y.at(value) + 4}>{format(value)}</text>
            </g>)}
            {x.ticks.map(value => <g key={value}>
                <line class="axis-line" x1={x.at(value)} x2={x.at(value)} y1={g.bottom} y2={g.bottom + 4} />
                <text class="tick" text-anchor="middle" x={x.at(value)} y={g.bottom + 17}>{tickText(value)}</text>
            </g>)}
            {x.zero !== null && <>
                <text class="tick" text-anchor="middle" x={x.zero} y={g.bottom + 17}>0</text>
                <path class="axis-line" d={`M${x.zero + 17} ${g.bottom + 5}l6 -10m2 10l6 -10`} />
            </>}
            <path class="axis-line" d={`M${g.left} ${g.top}V${g.bottom}H${g.right}`} />
            <text class="tick" text-anchor="middle" x={(g.left + g.right) / 2} y={height - 4}>{props.xTitle}</text>
            <text class="tick" x={4} y={12}>{props.yTitle}</text>
            <clipPath id={clip}><rect x={g.left - 8} y={g.top} width={g.right - g.left + 16}
                height={g.bottom - g.top} /></clipPath>
            <g clip-path={`url(#${clip})`}>{props.children}</g>
            {drag && <rect class="zoom-area" x={Math.min(...drag)} width={Math.abs(drag[1] - drag[0])}
                y={g.top} height={g.bottom - g.top} />}
        </svg>}
    </div>;
}

// A line through points; where one is missing, the line is interrupted.
export function linePath(points: [number, number | null][]): string {
    let d = '', pen = 'M';
    for (const [x, y] of points) {
        if (y === null || !Number.isFinite(y)) {
            pen = 'M';
            continue;
        }
        d += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
        pen = 'L';
    }
    return d;
}

export function Swatch({colour, dash, kind = 'line'}: {colour: string; dash?: string; kind?: 'line' | 'dot'}) {
    return <svg class="swatch" width="18" height="9" aria-hidden="true">{kind === 'dot'
        ? <circle cx="9" cy="4.5" r="3.5" style={{fill: `var(${colour})`}} />
        : <line x1="0" x2="18" y1="4.5" y2="4.5" style={{stroke: `var(${colour})`}} stroke-width="2.5"
            stroke-dasharray={dash} />}</svg>;
}
