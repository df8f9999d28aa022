// Curves on a chart's canvas. Each run has its own x values: a common axis for a hundred runs would
// be a table of mostly nothing, so the lines are not uPlot's but drawn from the columns as they are.
import {indexAt} from '../../ui/ascending';
import {colour} from '../../ui/theme';

export interface Curve {
    id: string;
    label: string;
    colour: string; // a CSS variable
    dash: number[];
    xs: number[];
    ys: number[]; // smoothed, if it is wished
    raw: number[] | null; // beneath the smoothed one
    best: number; // index of the best epoch; -1: none
}

// Exponential moving average over the points as they are: s = weight·s + (1 − weight)·y, divided by
// 1 − weight^n, so that the beginning is not drawn towards zero.
export function smoothed(ys: number[], weight: number): number[] {
    let sum = 0, mass = 0;
    return ys.map(y => {
        if (!Number.isFinite(y))
            return NaN;
        sum = weight * sum + (1 - weight) * y;
        mass = weight * mass + (1 - weight);
        return sum / mass;
    });
}

export type Range = [number, number];

export function rangeX(curves: Curve[], log: boolean): Range {
    let low = Infinity, high = -Infinity;
    for (const {xs} of curves)
        if (xs.length) {
            low = Math.min(low, log ? xs[indexAt(xs, 1e-9)] ?? Infinity : xs[0]!);
            high = Math.max(high, xs[xs.length - 1]!);
        }
    if (!(low <= high))
        return [log ? 1 : 0, 10];
    return low === high ? (log ? [low / 2, high * 2] : [low - 1, high + 1]) : [low, high];
}

// What is in sight between two x, with a little room.
export function rangeY(curves: Curve[], [from, to]: Range, log: boolean): Range {
    let low = Infinity, high = -Infinity;
    for (const {xs, ys} of curves)
        for (let k = indexAt(xs, from); k < xs.length && xs[k]! <= to; k++) {
            const y = ys[k]!;
            if (y < low && (!log || y > 0))
                low = y;
            if (y > high)
                high = y;
        }
    if (!(low <= high))
        return [log ? .1 : 0, 1];
    if (log) {
        const room = Math.max(1.02, (high / low) ** .05);
        return [low / room, high * room];
    }
    const room = .05 * (high - low) || Math.abs(high) * .05 || 1;
    return [low - room, high + room];
}

export interface View {
    ctx: CanvasRenderingContext2D;
    left: number;
    top: number;
    width: number;
    height: number;
    x: Range;
    y: Range;
    logX: boolean;
    logY: boolean;
}

// A canvas place is scale(value)·factor + shift, scale being log on a log axis.
function factors(range: Range, log: boolean, size: number): [factor: number, shift: number] {
    const low = log ? Math.log(range[0]) : range[0];
    const factor = size / ((log ? Math.log(range[1]) : range[1]) - low);
    return [factor, -low * factor];
}

export function placers(view: View): {px: (x: number) => number; py: (y: number) => number} {
    const [fx, sx] = factors(view.x, view.logX, view.width);
    const [fy, sy] = factors(view.y, view.logY, view.height);
    const foot = view.top + view.height;
    return {px: x => view.left + (view.logX ? Math.log(x) : x) * fx + sx,
        py: y => foot - (view.logY ? Math.log(y) : y) * fy - sy};
}

// The innermost loop: a hundred runs are some hundred thousand points. Steps of less than half a
// pixel are left out.
function trace(ctx: CanvasRenderingContext2D, curve: Curve, ys: number[], view: View): void {
    const {logX, logY} = view;
    const [fx, sx] = factors(view.x, logX, view.width);
    const [fy, sy] = factors(view.y, logY, view.height);
    const left = view.left + sx, foot = view.top + view.height - sy;
    const {xs} = curve;
    const from = Math.max(0, indexAt(xs, view.x[0]) - 1);
    const to = Math.min(xs.length - 1, indexAt(xs, view.x[1]));
    const few = to - from < 40;
    let pen = false, lastX = 0, lastY = 0;
    ctx.beginPath();
    for (let k = from; k <= to; k++) {
        const value = ys[k]!;
        const x = left + fx * (logX ? Math.log(xs[k]!) : xs[k]!);
        const y = foot - fy * (logY ? Math.log(value) : value);
        if (!(Math.abs(x) < 1e7 && Math.abs(y) < 1e7)) { // not finite, or no logarithm
            pen = false;
            continue;
        }
        if (!pen)
            ctx.moveTo(x, y);
        else if (k === to || Math.abs(x - lastX) >= .5 || Math.abs(y - lastY) >= .5)
            ctx.lineTo(x, y);
        else
            continue;
        pen = true;
        lastX = x;
        lastY = y;
    }
    ctx.stroke();
    if (!few) // few points: shown as such
        return;
    const {px, py} = placers(view);
    for (let k = from; k <= to; k++) {
        const x = px(xs[k]!), y = py(ys[k]!);
        if (Math.abs(x) < 1e7 && Math.abs(y) < 1e7) {
            ctx.beginPath();
            ctx.arc(x, y, 2 * devicePixelRatio, 0, 7);
            ctx.fill();
        }
    }
}

// Draws curves with the marks of their best epochs; `on`: as the one that is pointed at.
export function draw(curves: Curve[], view: View, many: boolean, on: boolean): void {
    const {ctx} = view;
    const dpr = devicePixelRatio;
    const ground = colour('--surface');
    const inks = new Map<string, string>();
    const {px, py} = placers(view);
    ctx.save();
    ctx.beginPath();
    ctx.rect(view.left, view.top, view.width, view.height);
    ctx.clip();
    ctx.lineJoin = 'round';
    for (const curve of curves) {
        const ink = inks.get(curve.colour) ?? colour(curve.colour);
        inks.set(curve.colour, ink);
        ctx.strokeStyle = ctx.fillStyle = ink;
        ctx.setLineDash([]);
        if (curve.raw && (on || !many)) { // of a hundred runs they would be a haze
            ctx.globalAlpha = on ? .35 : .22;
            ctx.lineWidth = dpr;
            trace(ctx, curve, curve.raw, view);
        }
        ctx.globalAlpha = 1;
        ctx.lineWidth = (on ? 3 : many ? 1.1 : 1.75) * dpr;
        ctx.setLineDash(curve.dash.map(each => each * dpr));
        trace(ctx, curve, curve.ys, view);
        const y = curve.ys[curve.best];
        if (y !== undefined && Number.isFinite(y) && (!view.logY || y > 0)) {
            ctx.setLineDash([]);
            ctx.beginPath();
            ctx.arc(px(curve.xs[curve.best]!), py(y), (on ? 5 : many ? 2.5 : 3.5) * dpr, 0, 7);
            ctx.fill();
            ctx.lineWidth = 1.5 * dpr;
            ctx.strokeStyle = ground;
            ctx.stroke();
        }
    }
    ctx.restore();
}

// The curve nearest to a place on the canvas, and its point there.
export function nearest(curves: Curve[], view: View, x: number, y: number,
    reach: number): {curve: Curve; at: number} | null {
    const {px, py} = placers(view);
    let found: {curve: Curve; at: number} | null = null;
    let least = reach;
    for (const curve of curves) {
        let low = 0, high = curve.xs.length - 1;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (px(curve.xs[middle]!) < x)
                low = middle + 1;
            else
                high = middle;
        }
        for (const at of [low - 1, low]) {
            const value = curve.ys[at];
            if (value === undefined || !Number.isFinite(value))
                continue;
            const away = Math.hypot(.5 * (px(curve.xs[at]!) - x), py(value) - y);
            if (away < least) {
                least = away;
                found = {curve, at};
            }
        }
    }
    return found;
}
