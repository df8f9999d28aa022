// A setting against a result, a point a run: where the best strength lies is seen at a glance.
import {useRef} from 'preact/hooks';
import type {Signal} from '@preact/signals';
import type {Job} from '../../api/types';
import {amend, href} from '../../router';
import {Panel} from '../../ui/basics';
import {exact, jobName, number} from '../../ui/format';
import {scale, tickText, type Scale} from '../../ui/scale';
import {runColour} from '../../ui/theme';
import {leaves} from '../../ui/touch';
import {useWidth} from '../../ui/width';
import {useHovered} from './list';
import {RESULTS, type Result} from './results';
import type {Runs} from './runs';
import type {Setting} from './settings';
import type {State} from './state';

const WIDTH = 760, HEIGHT = 300; // at most so wide
const LEFT = 62, RIGHT = 16, TOP = 12, BOTTOM = 44;
const PREFERRED = ['regularization.l2', 'regularization.l1', 'optimizer.lr', 'optimizer.weight_decay'];

// Over powers of ten the axis is logarithmic.
function axisOf(values: number[], from: number, to: number, count: number): Scale {
    const above = values.filter(value => value > 0);
    const log = above.length > 1 && values.every(value => value >= 0) && Math.max(...above) >= 30 * Math.min(...above);
    return scale(values, from, to, {log, zeroPlace: true, pad: log ? .03 : .06, count});
}

interface Point {
    job: Job;
    x: number;
    y: number;
    place: number;
}

function Readout(props: {points: Point[]; best: Point | null; setting: Setting; result: Result; hovered: Signal<string | null>}) {
    const on = props.points.find(each => each.job.id === props.hovered.value);
    const told = on ?? props.best;
    return <p class="soft readout">{told ? <>{on ? '' : 'Best: '}<a class="clip"
        href={href(['jobs', told.job.id])}>{jobName(told.job)}</a>
        {props.setting.path} {number(told.x,
            5)}, {props.result.title.toLowerCase()} <b>{props.result.show(told.y)}</b></>
        : 'Point at a run'}</p>;
}

interface PictureProps {
    points: Point[];
    best: Point | null;
    setting: Setting;
    result: Result;
    hidden: ReadonlySet<string>;
    hovered: Signal<string | null>;
}

function Picture({points, best, setting, result, hidden, hovered}: PictureProps) {
    const root = useHovered<HTMLDivElement>(hovered);
    const byFinger = useRef(false);
    const width = Math.min(WIDTH, useWidth(root));
    const xs = axisOf(points.map(each => each.x), LEFT, width - RIGHT, Math.floor(width / 90));
    const ys = axisOf(points.map(each => each.y), HEIGHT - BOTTOM, TOP, 7);
    // A finger covers many points: it is told the nearest, and opens it by its name below.
    const find = (event: PointerEvent) => {
        byFinger.current = event.pointerType === 'touch';
        if (!byFinger.current || !points.length)
            return;
        const box = (event.currentTarget as SVGSVGElement).getBoundingClientRect();
        const far = (each: Point) => Math.hypot(xs.at(each.x) - (event.clientX - box.left),
            ys.at(each.y) - (event.clientY - box.top));
        hovered.value = points.reduce((a, b) => (far(b) < far(a) ? b : a)).job.id;
    };
    return <div ref={root} style={{height: `${HEIGHT}px`}}>{width > 0 && <svg width={width} height={HEIGHT}
        onPointerDown={find} onPointerMove={find}
        onClick={event => byFinger.current && event.preventDefault()} role="group"
        aria-label={`${result.title} against ${setting.path} of ${points.length} runs`
            + (best ? `; best ${result.show(best.y)} at ${exact(best.x)}` : '')}>
        {ys.ticks.map(value => <g key={value}><line
            class="rule" x1={LEFT} x2={width - RIGHT} y1={ys.at(value)} y2={ys.at(value)} />
            <text x={LEFT - 8} y={ys.at(value) + 4} text-anchor="end">{tickText(value)}</text></g>)}
        {[...(xs.zero === null ? [] : [0]), ...xs.ticks].map(value => <g key={value}><line
            class="rule" x1={xs.at(value)} x2={xs.at(value)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <text x={xs.at(value)} y={HEIGHT - BOTTOM + 17} text-anchor="middle">{tickText(value)}</text></g>)}
        <text x={(LEFT + width) / 2} y={HEIGHT - 5} text-anchor="middle">{setting.path}{xs.log ? ', log'
            : ''}</text>
        {points.map(each => <a key={each.job.id} href={href(['jobs', each.job.id])} tabIndex={-1}
            aria-label={`${jobName(each.job)}: ${exact(each.x)}, ${result.show(each.y)}`}
            onPointerEnter={event => leaves(event) && (hovered.value = each.job.id)}
            onPointerLeave={event => leaves(event) && (hovered.value = null)}>
            <circle cx={xs.at(each.x)} cy={ys.at(each.y)} r="5" data-run={each.job.id}
                class={hidden.has(each.job.id) ? 'off' : ''}
                style={{fill: `var(${runColour(each.place)})`}} /></a>)}
        {best && <circle class="ring" cx={xs.at(best.x)} cy={ys.at(best.y)} r="10" />}
    </svg>}</div>;
}

interface Props {
    jobs: Job[];
    settings: Setting[];
    runs: Runs;
    state: State;
    hovered: Signal<string | null>;
}

export function Scatter({jobs, settings, runs, state, hovered}: Props) {
    const numeric = settings.filter(each => each.differs && each.numeric);
    const results = RESULTS.filter(each => each.id !== 'status' && jobs.some(job => each.value(job, runs) !== null));
    if (!numeric.length || !results.length)
        return null;
    const setting = numeric.find(each => each.path === state.against[0])
        ?? PREFERRED.map(path => numeric.find(each => each.path === path)).find(Boolean) ?? numeric[0]!;
    const result = results.find(each => each.id === state.against[1]) ?? results[0]!;
    const points = jobs.flatMap((job): Point[] => {
        const x = setting.of.get(job.id), y = result.value(job, runs);
        return typeof x === 'number' && typeof y === 'number' ? [{job, x, y, place: state.ids.indexOf(job.id)}] : [];
    });
    const best = result.better && points.length > 1
        ? points.reduce((a, b) => ((result.better === 'less' ? b.y < a.y : b.y > a.y) ? b : a)) : null;
    return <Panel title="Setting against result" class="scatter" aside={<>
        <select aria-label="Setting" value={setting.path}
            onChange={event => amend({setting: event.currentTarget.value})}>
            {numeric.map(each => <option key={each.path} value={each.path}>{each.path}</option>)}</select>
        <select aria-label="Result" value={result.id} onChange={event => amend({result: event.currentTarget.value})}>
            {results.map(each => <option key={each.id} value={each.id}>{each.title}</option>)}</select></>}>
        <Picture points={points} best={best} setting={setting} result={result} hidden={state.hidden} hovered={hovered} />
        <Readout points={points} best={best} setting={setting} result={result} hovered={hovered} />
    </Panel>;
}
