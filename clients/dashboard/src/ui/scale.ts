// From values to pixels and back, and where an axis gets its ticks. A logarithmic axis has a place of
// its own for 0, left of the least other value, behind a break.
export interface Scale {
    at(value: number): number;
    from(pixel: number): number; // not for 0's place
    ticks: number[];
    log: boolean;
    zero: number | null; // the pixel of 0's own place
    low: number;
    high: number;
}

const ZERO_WIDTH = 46;

function step(range: number, count: number): number {
    const rough = range / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * ([1, 2, 5, 10].find(each => each * power >= rough * 0.999) ?? 10);
}

export function linearTicks(low: number, high: number, count: number): number[] {
    if (!(high > low))
        return [low];
    const by = step(high - low, count);
    const ticks = [];
    for (let k = Math.ceil(low / by - 1e-9); k * by <= high + by * 1e-9; k++)
        ticks.push(Number((k * by).toPrecision(12)));
    return ticks;
}

// Powers of ten; with few of them also 2 and 5, and within one decade whatever is round.
export function logTicks(low: number, high: number, count: number): number[] {
    const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
    const inside = (value: number) => value >= low * 0.999 && value <= high * 1.001;
    const decades = Array.from({length: last - first + 1}, (_, k) => first + k);
    for (const digits of [[1, 2, 5], [1, 3], [1]]) {
        const ticks = decades.flatMap(power => digits.map(each => Number(`${each}e${power}`))).filter(inside);
        if (ticks.length <= count && ticks.length >= 3)
            return ticks;
    }
    const each = Math.max(1, Math.ceil(decades.length / Math.max(1, count)));
    const ticks = decades.filter(power => power % each === 0).map(power => Number(`1e${power}`)).filter(inside);
    return ticks.length >= 2 ? ticks : linearTicks(low, high, count);
}

// values over pixels from..to (to < from for an axis that grows upwards); `count` ticks at most.
export function scale(values: number[], from: number, to: number, options: {log?: boolean; count?: number;
    pad?: number; zeroPlace?: boolean}): Scale {
    const log = options.log ?? false, count = options.count ?? 6;
    const finite = values.filter(value => Number.isFinite(value) && (!log || value > 0));
    const hasZero = log && options.zeroPlace === true && values.some(value => value === 0);
    let low = finite.length ? Math.min(...finite) : log ? 0.1 : 0;
    let high = finite.length ? Math.max(...finite) : 1;
    const pad = options.pad ?? 0;
    if (log) {
        const ratio = high > low ? (high / low) ** pad : 2;
        low /= ratio;
        high *= ratio;
    } else {
        const more = high > low ? (high - low) * pad : Math.abs(high) * 0.1 || 1;
        low -= more;
        high += more;
    }
    const start = hasZero ? from + Math.sign(to - from) * ZERO_WIDTH : from;
    const place = (value: number) => (log ? Math.log(value) : value);
    const a = place(low), b = place(high);
    return {
        at: value => (hasZero && value <= 0 ? from + Math.sign(to - from) * 8
            : start + (to - start) * (place(value) - a) / (b - a)),
        from: pixel => {
            const value = a + (b - a) * (pixel - start) / (to - start);
            return log ? Math.exp(value) : value;
        },
        ticks: log ? logTicks(low, high, count) : linearTicks(low, high, count),
        log,
        zero: hasZero ? from + Math.sign(to - from) * 8 : null,
        low,
        high,
    };
}

export function tickText(value: number): string {
    if (value === 0)
        return '0';
    const size = Math.abs(value);
    return size < 1e-3 || size >= 1e6 ? value.toExponential().replace('e+', 'e') : value.toLocaleString('en',
        {maximumSignificantDigits: 6});
}
