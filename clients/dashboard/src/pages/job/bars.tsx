// A histogram as bars of SVG: its text tells what eyes see. With a reading of each bin on hover.
import {number, whole} from '../../ui/format';

export interface HistogramData {
    min: number;
    max: number;
    counts: number[];
}

export function Histogram({of, label, colour, height = 120}: {of: HistogramData; label: string; colour: string;
    height?: number}) {
    const {counts, min, max} = of;
    const most = Math.max(1, ...counts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const width = (max - min) / counts.length;
    const peak = counts.indexOf(Math.max(...counts));
    const zero = min < 0 && max > 0 ? 100 * -min / (max - min) : null;
    return <figure class="histogram">
        <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" height={height} role="img"
            aria-label={`${label}: ${whole(total)} from ${number(min)} to ${number(max)}, most (${whole(counts[peak])}) between ${
                number(min + peak * width)} and ${number(min + (peak + 1) * width)}`}>
            {counts.map((count, k) => {
                const tall = count ? Math.max(1, count / most * (height - 4)) : 0;
                return <rect key={k} x={k * 100 / counts.length + .15} width={100 / counts.length - .3} y={height - tall}
                    height={tall} style={{fill: `var(${colour})`}}>
                    <title>{`${number(min + k * width)} to ${number(min + (k + 1) * width)}: ${whole(count)} (${
                        (100 * count / Math.max(1, total)).toFixed(1)} %)`}</title></rect>;
            })}
            {zero !== null && <line x1={zero} x2={zero} y1={0} y2={height} class="zero" vector-effect="non-scaling-stroke" />}
        </svg>
        <div class="range" aria-hidden="true"><span>{number(min, 3)}</span>{zero !== null && <span class="at-zero"
            style={{left: `${zero}%`}}>{zero > 12 && zero < 88 ? '0' : ''}</span>}<span>{number(max, 3)}</span></div>
    </figure>;
}

// A share from 0 to 1 as a bar with its figure.
export function Share({value, colour}: {value: number; colour: string}) {
    return <span class="share"><span class="bar" aria-hidden="true"><span style={{width: `${100 * Math.min(1, Math.max(0, value))}%`,
        background: `var(${colour})`}} /></span> {(100 * value).toFixed(1)} %</span>;
}
