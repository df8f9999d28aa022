// Drawing for models of images: by mouse, finger or pen, white on black. What the model sees stands
// beside it, and below as numbers, which can be typed or pasted instead.
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import type {Grid} from './columns';
import {figureOf, raster} from './raster';

const WIDE = 280;

type Point = [number, number];
interface Stroke {
    width: number;
    points: Point[];
}

function paint(context: CanvasRenderingContext2D, stroke: Stroke, from: number): void {
    context.lineCap = context.lineJoin = 'round';
    context.strokeStyle = context.fillStyle = '#fff';
    context.lineWidth = stroke.width;
    const {points} = stroke;
    context.beginPath();
    if (points.length === 1) {
        context.arc(points[0]![0], points[0]![1], stroke.width / 2, 0, 2 * Math.PI);
        context.fill();
        return;
    }
    const start = Math.max(0, from - 1);
    context.moveTo(...points[start]!);
    for (const point of points.slice(start + 1))
        context.lineTo(...point);
    context.stroke();
}

const text = (values: number[], width: number): string => {
    const wide = values.reduce((most, value) => Math.max(most, String(value).length), 0);
    const rows: string[] = [];
    for (let k = 0; k < values.length; k += width)
        rows.push(values.slice(k, k + width).map(value => String(value).padStart(wide)).join(' '));
    return rows.join('\n');
};

export function Draw({grid, onValues}: {grid: Grid; onValues: (values: number[] | null) => void}) {
    const {height, width, min, max} = grid;
    const tall = Math.round(WIDE * height / width);
    const canvas = useRef<HTMLCanvasElement>(null);
    const seen = useRef<HTMLCanvasElement>(null);
    const strokes = useRef<Stroke[]>([]);
    const frame = useRef(0);
    const [fit, setFit] = useState(true);
    const [values, setValues] = useState<number[] | null>(null);
    const [typed, setTyped] = useState<string | null>(null); // while somebody types
    const [count, setCount] = useState(0); // of strokes
    const figure = useMemo(() => figureOf(grid.means.map(mean => Math.max(0, mean - min)), height, width), [grid]);
    // Strokes of training images are as wide: about an eighth of the figure, a cell and a half at least.
    const [brush, setBrush] = useState(() => Math.round(200 * Math.max(.13, 1.6 / figure.side)));
    const isWhole = Number.isInteger(min) && Number.isInteger(max) && max - min >= 8;
    const round = (value: number) => (isWhole ? Math.round(value) : Number(value.toPrecision(4)));

    const take = (next: number[] | null) => {
        setValues(next);
        onValues(next);
    };
    const read = () => {
        frame.current = 0;
        const context = canvas.current?.getContext('2d', {willReadFrequently: true});
        if (!context)
            return;
        const image = context.getImageData(0, 0, WIDE, tall);
        const cells = raster({alpha: image.data, width: WIDE, height: tall}, height, width, fit ? figure : null);
        setTyped(null);
        take(cells && [...cells].map(value => round(min + value * (max - min))));
    };
    const soon = () => (frame.current ||= requestAnimationFrame(read));
    const redraw = () => {
        const context = canvas.current!.getContext('2d', {willReadFrequently: true})!;
        context.clearRect(0, 0, WIDE, tall);
        for (const stroke of strokes.current)
            paint(context, stroke, 0);
        setCount(strokes.current.length);
        soon();
    };
    useEffect(() => {
        if (strokes.current.length)
            soon();
    }, [fit]);
    useEffect(() => () => cancelAnimationFrame(frame.current), []);

    useEffect(() => {
        const context = seen.current?.getContext('2d');
        if (!context)
            return;
        const image = context.createImageData(width, height);
        for (let k = 0; k < width * height; k++) {
            const value = values ? 255 * ((values[k] ?? min) - min) / (max - min) : 0;
            image.data.set([value, value, value, 255], 4 * k);
        }
        context.putImageData(image, 0, 0);
    }, [values]);

    const point = (event: {clientX: number; clientY: number}): Point => {
        const box = canvas.current!.getBoundingClientRect();
        return [(event.clientX - box.left) * WIDE / box.width, (event.clientY - box.top) * tall / box.height];
    };
    const begin = (event: PointerEvent) => {
        if (event.button !== 0)
            return;
        event.preventDefault();
        canvas.current!.setPointerCapture(event.pointerId);
        const stroke = {width: brush, points: [point(event)]};
        strokes.current.push(stroke);
        setCount(strokes.current.length);
        paint(canvas.current!.getContext('2d', {willReadFrequently: true})!, stroke, 0);
        soon();
    };
    const go = (event: PointerEvent) => {
        if (!canvas.current!.hasPointerCapture(event.pointerId))
            return;
        const stroke = strokes.current[strokes.current.length - 1]!;
        const from = stroke.points.length;
        const parts = event.getCoalescedEvents?.() ?? [];
        for (const each of parts.length ? parts : [event])
            stroke.points.push(point(each));
        paint(canvas.current!.getContext('2d', {willReadFrequently: true})!, stroke, from);
        soon();
    };

    const type = (now: string) => {
        setTyped(now);
        const numbers = now.split(/[\s,;]+/).filter(Boolean).map(Number);
        if (numbers.length === width * height && numbers.every(Number.isFinite))
            take(numbers);
    };
    const typedCount = typed === null ? 0 : typed.split(/[\s,;]+/).filter(Boolean).length;
    const typedWrong = typed !== null && (typedCount !== width * height || typed.split(/[\s,;]+/).filter(Boolean)
        .some(each => !Number.isFinite(Number(each))));

    return <div class="draw">
        <div class="canvases">
            <figure><canvas ref={canvas} class="board" width={WIDE} height={tall} role="img"
                aria-label="Board to draw on by mouse, finger or pen. The grid can be typed as numbers below."
                onPointerDown={begin} onPointerMove={go} /><figcaption class="soft">Draw here</figcaption></figure>
            <figure><canvas ref={seen} class="seen" width={width} height={height} role="img"
                aria-label={`What the model sees: ${width} by ${height} cells`} />
                <figcaption class="soft">What the model sees, {width} × {height}</figcaption></figure>
        </div>
        <div class="buttons">
            <button type="button" onClick={() => {
                strokes.current = [];
                redraw();
            }} disabled={!count && !values}>Blank</button>
            <button type="button" disabled={!count} onClick={() => {
                strokes.current.pop();
                redraw();
            }}>Undo</button>
            <label class="smoothing">Brush <input type="range" min="6" max="60" value={brush}
                onInput={event => setBrush(Number(event.currentTarget.value))} /></label>
            <label><input type="checkbox" checked={fit} onChange={() => setFit(!fit)} /> Size and centre as in the training images</label>
        </div>
        <details><summary>The grid as numbers</summary>
            <label class="field"><span>{height} rows of {width} numbers from {min} to {max}</span>
                <textarea class="mono" rows={Math.min(height, 14)} spellcheck={false} wrap="off" value={typed ?? (values ? text(values, width) : '')}
                    onInput={event => type(event.currentTarget.value)} />
                {typedWrong && <span class="wrong">{typedCount === width * height ? 'Not all of them are numbers.'
                    : `${typedCount} of ${width * height} numbers`}</span>}</label>
            <div class="buttons"><button type="button" class="small" onClick={() => {
                setTyped(null);
                take(grid.means.map(round));
            }}>The mean training image</button>
            <button type="button" class="small" onClick={() => {
                setTyped(null);
                take(Array<number>(width * height).fill(min));
            }}>A blank grid</button></div>
        </details>
    </div>;
}
