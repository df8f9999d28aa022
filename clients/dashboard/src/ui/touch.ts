// Fingers on a chart: one moves the cursor, two pinch and push the range, two taps show the whole. What
// a finger does upwards or downwards is the browser's, which scrolls the page (touch-action: pan-y).
import type {Range} from './zoom';

const LEAST_GAP = .04; // of the width: fingers that stand one above the other do not zoom without end
const LEAST_SHOWN = 1e-6; // of the whole
const TAP_MS = 350, TAP_PX = 12, TWICE_PX = 36;

// What to show after two fingers went from `from` to `to` (parts of the width) over a chart that showed
// `shown`: what was between them stays between them, and nothing leaves the whole.
export function pinched(shown: Range, from: Range, to: Range, whole: Range, log = false): Range {
    const there = (value: number) => (log ? Math.log(value) : value);
    const [a, b, least, most] = [...shown, ...whole].map(there) as [number, number, number, number];
    const gap = ([one, other]: Range) => Math.max(LEAST_GAP, Math.abs(other - one));
    const middle = ([one, other]: Range) => (one + other) / 2;
    const width = Math.max(LEAST_SHOWN * (most - least), (b - a) * gap(from) / gap(to));
    if (!(width < most - least))
        return [...whole];
    const start = a + middle(from) * (b - a) - middle(to) * width;
    const low = Math.min(Math.max(start, least), most - width);
    const back = (value: number) => (log ? Math.exp(value) : value);
    return [low <= least ? whole[0] : back(low), low >= most - width ? whole[1] : back(low + width)];
}

export interface Tap {
    at: number; // ms
    x: number;
    y: number;
}

export const isDoubleTap = (first: Tap | null, second: Tap): boolean => first !== null
    && second.at - first.at <= TAP_MS && Math.hypot(second.x - first.x, second.y - first.y) <= TWICE_PX;

export interface Touched {
    frame: () => {left: number; width: number}; // of the x axis, in the window
    shown: () => Range | null;
    whole: () => Range | null;
    log: () => boolean;
    place: (x: number, y: number) => void; // one finger, in the window
    range?: (range: Range) => void; // without it: no zoom
    reset?: () => void;
}

interface Pinch {
    shown: Range;
    from: Range;
    frame: {left: number; width: number};
    log: boolean;
}

// Lets fingers on `element` move the chart. Returns how to end it.
export function touchable(element: HTMLElement | SVGElement, chart: Touched): () => void {
    const fingers = new Map<number, {x: number; y: number}>();
    let pinch: Pinch | null = null;
    let down: Tap | null = null; // a finger that may become a tap
    let last: Tap | null = null;

    const parts = (frame: Pinch['frame']): Range => {
        const [one, other] = [...fingers.values()].map(each => (each.x - frame.left) / frame.width);
        return [one!, other!];
    };
    const begin = () => {
        const shown = chart.shown(), frame = chart.frame();
        pinch = fingers.size === 2 && chart.range && shown && frame.width > 0
            ? {shown, from: parts(frame), frame, log: chart.log()} : null;
    };
    const press = (event: PointerEvent) => {
        if (event.pointerType !== 'touch')
            return;
        fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});
        down = fingers.size === 1 ? {at: event.timeStamp, x: event.clientX, y: event.clientY} : null;
        begin();
        if (fingers.size === 1)
            chart.place(event.clientX, event.clientY);
    };
    const move = (event: PointerEvent) => {
        const finger = fingers.get(event.pointerId);
        if (!finger)
            return;
        finger.x = event.clientX;
        finger.y = event.clientY;
        const whole = pinch && chart.whole();
        if (pinch && whole)
            chart.range!(pinched(pinch.shown, pinch.from, parts(pinch.frame), whole, pinch.log));
        else if (fingers.size === 1)
            chart.place(event.clientX, event.clientY);
    };
    const lift = (event: PointerEvent) => {
        if (!fingers.delete(event.pointerId))
            return;
        begin();
        const tap = {at: event.timeStamp, x: event.clientX, y: event.clientY};
        const isTap = event.type === 'pointerup' && down !== null && tap.at - down.at <= TAP_MS
            && Math.hypot(tap.x - down.x, tap.y - down.y) <= TAP_PX;
        down = null;
        if (isTap && isDoubleTap(last, tap)) {
            last = null;
            chart.reset?.();
        } else {
            last = isTap ? tap : null;
        }
    };
    // Two fingers are the chart's, in whatever direction they go.
    const keep = (event: Event) => {
        if ((event as TouchEvent).touches.length > 1 && event.cancelable)
            event.preventDefault();
    };
    const all: [string, (event: never) => void][] = [['pointerdown', press], ['pointermove', move], ['pointerup', lift],
        ['pointercancel', lift], ['touchstart', keep], ['touchmove', keep]];
    for (const [type, listener] of all)
        element.addEventListener(type, listener as EventListener, {passive: false});
    return () => {
        for (const [type, listener] of all)
            element.removeEventListener(type, listener as EventListener);
    };
}

// A finger that is lifted leaves what it touched, and yet wants to read what it found there.
export const leaves = (event: PointerEvent): boolean => event.pointerType !== 'touch';
