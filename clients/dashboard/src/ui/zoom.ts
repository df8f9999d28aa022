// Zoom by the keyboard, for every chart: + and − around the middle, arrows to move, Escape for the whole.

export type Range = [from: number, to: number];

export const KEYS = '+ and − zoom, arrows move, Escape shows the whole';
const STEP = 0.25; // of what is shown

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
