// Fingers on a chart. One that moves sideways is the mouse: the figures at its place are shown. Two zoom and
// move, a double tap shows the whole. Up and down the page scrolls (touch-action: pan-y): then the browser
// takes the finger away (pointercancel).
import {zoomByFingers, type Range} from './zoom';

// The picture as it is when the fingers come down.
export interface Picture {
    width: number; // in CSS pixels
    whole: Range; // where all there is would lie, in pixels from its left edge
    value(pixel: number): number;
}

export function pictureOf(width: number, shown: Range, whole: Range, log = false): Picture {
    const place = (value: number) => (log ? Math.log(value) : value);
    const from = place(shown[0]), by = (place(shown[1]) - from) / width;
    return {
        width,
        whole: [(place(whole[0]) - from) / by, (place(whole[1]) - from) / by],
        value: pixel => (log ? Math.exp(from + by * pixel) : from + by * pixel),
    };
}

export interface Touched {
    picture(): Picture | null; // null: there is nothing to zoom
    zoom(range: Range | null): void; // values; null: the whole
}

const TAP_PX = 12, TAP_MS = 300, TAPS_MS = 400;

export function touch(over: HTMLElement, on: Touched): void {
    const fingers = new Map<number, {x: number; y: number}>();
    let picture: Picture | null = null;
    let begun: Range = [0, 0];
    let tap: {x: number; y: number; at: number} | null = null; // a finger that has not moved yet
    let tapped = -Infinity; // when the last tap ended

    const places = (): Range => {
        const left = over.getBoundingClientRect().left;
        const [a, b] = [...fingers.values()].map(each => each.x - left) as Range;
        return [Math.min(a, b), Math.max(a, b)];
    };
    const point = (event: PointerEvent) => over.dispatchEvent(new MouseEvent('mousemove', {bubbles: true,
        clientX: event.clientX, clientY: event.clientY, view: window}));
    const take = (event: PointerEvent) => fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});

    over.addEventListener('pointerdown', event => {
        if (event.pointerType !== 'touch')
            return;
        take(event);
        tap = fingers.size === 1 ? {x: event.clientX, y: event.clientY, at: event.timeStamp} : null;
        picture = fingers.size === 2 ? on.picture() : null;
        if (picture)
            begun = places();
    });
    over.addEventListener('pointermove', event => {
        if (!fingers.has(event.pointerId))
            return;
        take(event);
        if (tap && Math.hypot(event.clientX - tap.x, event.clientY - tap.y) > TAP_PX)
            tap = null;
        if (fingers.size === 1 && !tap)
            point(event);
        if (!picture)
            return;
        const range = zoomByFingers(begun, places(), picture.width, picture.whole);
        on.zoom(range && [picture.value(range[0]), picture.value(range[1])]);
    });
    const lift = (event: PointerEvent) => {
        if (!fingers.delete(event.pointerId))
            return;
        picture = null; // the finger that stays points
        const again = event.timeStamp - tapped < TAPS_MS;
        if (event.type === 'pointerup' && tap && event.timeStamp - tap.at < TAP_MS) {
            tapped = again ? -Infinity : event.timeStamp;
            if (again)
                on.zoom(null);
        }
        tap = null;
    };
    over.addEventListener('pointerup', lift);
    over.addEventListener('pointercancel', lift);
}
