// Zoom by the keyboard, for every chart: + and − around the middle, arrows to move, Escape for the whole;
// and by two fingers (touch.ts).

export type Range = [from: number, to: number];

export const KEYS = '+ and − zoom, arrows move, Escape shows the whole';
const STEP = 0.25; // of what is shown
const MIN_APART = 24; // pixels: two fingers that are nearer say nothing about a scale

// What to show after a key, or null where the key means nothing here.
export function zoomByKey(event: KeyboardEvent, shown: Range, whole: Range, log = false): Range | null {
    if (event.ctrlKey || event.metaKey || event.altKey)
        return null;
    // A logarithmic axis is walked in its own steps.
    const there = (value: number) => (log ? Math.log(value) : value);
    const [from, to, least, most] = [...shown, ...whole].map(there) as [number, number, number, number];
    const by = STEP * (to - from);
    const within = (a: number, b: number): Range => [
        a <= least ? whole[0] : log ? Math.exp(a) : a,
        b >= most ? whole[1] : log ? Math.exp(b) : b,
    ];
    const left = Math.min(by, from - least), right = Math.min(by, most - to);
    switch (event.key) {
    case 'Escape': return whole;
    case '+': case '=': return within(from + by, to - by);
    case '-': return within(from - by, to + by);
    case 'ArrowLeft': return within(from - left, to - left);
    case 'ArrowRight': return within(from + right, to + right);
    default: return null;
    }
}

// What a plot of so many pixels shows after two fingers went from `begun` to `now`: the part of the old
// picture, in its pixels, that fills it then. `whole` is where all there is would lie in the old picture.
// null: all of it.
export function zoomByFingers(begun: Range, now: Range, width: number, whole: Range): Range | null {
    const scale = Math.max(MIN_APART, Math.abs(now[1] - now[0])) / Math.max(MIN_APART, Math.abs(begun[1] - begun[0]));
    const length = width / scale;
    if (length >= whole[1] - whole[0])
        return null;
    // What lay in the middle between the fingers stays there, but not beyond an end.
    const from = (begun[0] + begun[1]) / 2 - (now[0] + now[1]) / 2 / scale;
    const inside = Math.min(Math.max(from, whole[0]), whole[1] - length);
    return [inside, inside + length];
}
