// The curves of one job. All charts share one cursor and one zoom. What is drawn is what was
// measured; smoothing is an option, and what is smoothed says so.
import {useMemo} from 'preact/hooks';
import uPlot from 'uplot';
import type {Job, Metrics} from '../../api/types';
import {amend, place} from '../../router';
import {Panel} from '../../ui/basics';
import {Chart, type Line, type Mark} from '../../ui/chart';
import {duration, number, short, whole} from '../../ui/format';
import {colour} from '../../ui/theme';
import {rowOf, smooth, type Epochs} from './epochs';
import {hasValidation, isClasses, NUMBER_SCORES, SCORE_TITLES, type ScoreName} from './text';

type Values = (number | null)[];

// A line at 0: which side of it a gap lies on is what it says.
const ZERO: uPlot.Plugin = {
    hooks: {
        draw: u => {
            const at = u.valToPos(0, 'y', true);
            const {ctx, bbox} = u;
            if (!(at >= bbox.top && at <= bbox.top + bbox.height))
                return;
            ctx.save();
            ctx.strokeStyle = colour('--ink-2');
            ctx.lineWidth = devicePixelRatio;
            ctx.beginPath();
            ctx.moveTo(bbox.left, at);
            ctx.lineTo(bbox.left + bbox.width, at);
            ctx.stroke();
            ctx.restore();
        },
    },
};
const ZERO_LINE = [ZERO];

const positive = (values: Values): Values => values.map(value => (value !== null && value > 0 ? value : null));

interface Curve extends Omit<Line, 'values'> {
    name: string; // of the column
}

// The lines of some columns; smoothed ones stand before their thin, measured ones.
function linesOf(columns: Metrics, curves: Curve[], weight: number, log: boolean): Line[] {
    return curves.filter(curve => columns[curve.name]).flatMap(curve => {
        const {name, ...look} = curve;
        const values = log ? positive(columns[name]!) : columns[name]!;
        if (!weight)
            return [{...look, values}];
        return [
            {...look, label: `${look.label}, smoothed`, values: smooth(values, weight)},
            {...look, values, width: .6},
        ];
    });
}

const AXES = {
    epoch: {column: 'epoch', title: 'epoch', format: whole},
    step: {column: 'step', title: 'step', format: short},
    time: {column: 'elapsed_s', title: 'time', format: duration},
};
type Axis = keyof typeof AXES;

interface Look {
    log: boolean;
    running: boolean;
    weight: number;
    axis: Axis;
    score: ScoreName;
    norm: 'l2' | 'l1';
}

function lookOf(job: Job): Look {
    const {query} = place.value;
    const weight = Number(query.get('smooth'));
    const axis = query.get('x') ?? '';
    const score = query.get('score') as ScoreName;
    return {
        log: query.get('log') === 'true',
        running: query.get('running') === 'true',
        weight: weight > 0 && weight < 1 ? weight : 0,
        axis: Object.hasOwn(AXES, axis) ? axis as Axis : 'epoch',
        score: isClasses(job) ? 'accuracy' : (NUMBER_SCORES as readonly string[]).includes(score) ? score : 'rmse',
        norm: query.get('norm') === 'l1' ? 'l1' : 'l2',
    };
}

function Settings({look}: {look: Look}) {
    return <div class="chart-settings" role="group" aria-label="How the curves are drawn">
        <label>x axis <select value={look.axis} onChange={event => amend({x: event.currentTarget.value === 'epoch'
            ? null : event.currentTarget.value})}>
            <option value="epoch">epoch</option><option value="step">step</option><option value="time">time</option>
        </select></label>
        <label class="smoothing">Smoothing <input type="range" min="0" max="0.99" step="0.01" value={look.weight}
            onInput={event => amend({smooth: Number(event.currentTarget.value) || null})} />
            <output>{look.weight ? look.weight.toFixed(2) : 'off'}</output></label>
        <label><input type="checkbox" checked={look.log} onChange={() => amend({log: !look.log})} /> Log losses</label>
        <label><input type="checkbox" checked={look.running}
            onChange={() => amend({running: !look.running})} /> Running loss</label>
        <span class="soft">Drag or pinch a chart to zoom in.</span>
    </div>;
}

// "from 2.1 to 0.3, least 0.29"
function told(values: Values | undefined): string {
    const known = (values ?? []).filter((value): value is number => value !== null);
    return known.length ? `from ${number(known[0])} to ${number(known[known.length - 1])}, least ${
        number(known.reduce((a, b) => Math.min(a, b)))}, greatest ${number(known.reduce((a, b) => Math.max(a, b)))}`
        : 'no figures yet';
}

const WATCHED: [string, string][] = [['train.data_loss', 'training loss'], ['validation.data_loss', 'validation loss'],
    ['objective', 'objective']];

// Which figures were not finite: gaps in the curves are explained, not hidden.
export function Gaps({columns}: {columns: Metrics}) {
    const found = WATCHED.map(([name, title]) => {
        const values = columns[name] ?? [];
        return {title, epochs: values.flatMap((value, k) => (value === null ? [columns.epoch![k]!] : []))};
    }).filter(each => each.epochs.length && each.epochs.length < (columns.epoch?.length ?? 0) + 1);
    if (!found.length)
        return null;
    return <p class="note">{found.map(each => `The ${each.title} is not finite in ${each.epochs.length === 1
        ? `epoch ${each.epochs[0]}` : `${whole(each.epochs.length)} of the epochs drawn (first ${each.epochs[0]})`}: `
        + 'a gap in its curve. ').join('')}</p>;
}

export function Charts({job, epochs, columns}: {job: Job; epochs: Epochs; columns: Metrics}) {
    const look = lookOf(job);
    const axis = AXES[look.axis];
    const group = `job-${job.id}`;
    const validated = hasValidation(job);
    const title = SCORE_TITLES[look.score];
    const {weight, log} = look;

    const x = useMemo(() => (columns[axis.column] ?? []).map(value => value ?? 0), [columns, axis]);
    const lines = useMemo(() => {
        const pair = (score: string): Curve[] => [
            {name: `train.${score}`, label: 'train', colour: '--train'},
            {name: `validation.${score}`, label: 'validation', colour: '--validation'},
        ];
        const make = (curves: Curve[], isLog = false, soft = weight) => linesOf(columns, curves, soft, isLog);
        return {
            loss: make([...pair('data_loss'), ...(look.running ? [{name: 'train.running_loss', label: 'running (dropout on)',
                colour: '--train', dash: [4, 4], width: 1.25}] : [])], log),
            score: make(pair(look.score)),
            gap: make([{name: 'gap.loss', label: 'gap', colour: '--gap'}]),
            penalty: make([
                {name: 'objective', label: 'objective', colour: '--ink-2', dash: [2, 3]},
                {name: 'train.data_loss', label: 'train data loss', colour: '--train'},
                {name: 'penalty.l1', label: 'l1 penalty', colour: '--penalty', dash: [6, 4]},
                {name: 'penalty.l2', label: 'l2 penalty', colour: '--penalty'},
            ], log, 0),
            lr: make([{name: 'lr', label: 'learning rate', colour: '--run-2'}], false, 0),
            norm: make([{name: `weights.${look.norm}_norm`, label: `${look.norm} norm`, colour: '--run-6'}], false, 0),
            zeros: make([
                {name: 'weights.zeros', label: 'exactly 0', colour: '--penalty'},
                {name: 'weights.near_zeros', label: 'near 0', colour: '--penalty', dash: [4, 4]},
            ], false, 0),
            speed: make([{name: 'samples_per_s', label: 'samples/s', colour: '--run-7'}]),
        };
    }, [columns, look.running, look.score, look.norm, weight, log]);

    const best = validated ? job.best?.epoch : undefined;
    const row = best === undefined ? -1 : rowOf(columns, best);
    const marks = useMemo<Mark[]>(() => (row >= 0 && x[row] !== undefined
        ? [{x: x[row]!, label: `best: epoch ${best}`, colour: '--good'}] : []), [row >= 0 ? x[row] : null, best]);

    const shared = {x, xLabel: axis.title, formatX: axis.format, group, bare: true, marks,
        onZoom: (zoomed: boolean) => zoomed && epochs.refine()};
    const small = {...shared, height: 190};
    const summary = (what: string, ...names: string[]) => `${what} over ${x.length} points. ${names.map(name =>
        `${name}: ${told(columns[name])}`).join('. ')}.${best ? ` Best epoch ${best}.` : ''}`;
    const lossNote = log ? 'logarithmic' : undefined;

    return <>
        <Settings look={look} />
        <Gaps columns={columns} />
        <div class="job-charts large">
            <Panel title="Data loss" aside={<span class="soft">{[lossNote, 'without the penalty'].filter(Boolean).join(', ')}</span>}>
                <Chart {...shared} title="Data loss" lines={lines.loss} log={log} height={280}
                    summary={summary('Data loss', 'train.data_loss', 'validation.data_loss')} />
            </Panel>
            <Panel title={title} aside={isClasses(job) ? undefined : <label class="soft">Metric <select value={look.score}
                onChange={event => amend({score: event.currentTarget.value})}>{NUMBER_SCORES.map(name =>
                    <option key={name} value={name}>{SCORE_TITLES[name]}</option>)}</select></label>}>
                <Chart {...shared} title={title} lines={lines.score} height={280}
                    summary={summary(title, `train.${look.score}`, `validation.${look.score}`)} />
            </Panel>
        </div>
        <div class="job-charts">
            {validated && <Panel title="Gap" aside={<span class="soft">validation − train loss</span>}>
                <Chart {...small} title="Gap" lines={lines.gap} plugins={ZERO_LINE} summary={summary('Gap', 'gap.loss')} />
                <p class="chart-note">Above 0: worse on rows it has not seen. A gap that grows while training loss falls
                    is memorizing.</p>
            </Panel>}
            <Panel title="Penalty and objective" aside={<span class="soft">objective = data loss + penalties</span>}>
                <Chart {...small} title="Penalty and objective" lines={lines.penalty} log={log}
                    summary={summary('Objective', 'objective', 'penalty.l1', 'penalty.l2')} />
            </Panel>
            <Panel title="Learning rate">
                <Chart {...small} title="Learning rate" lines={lines.lr} summary={summary('Learning rate', 'lr')} />
            </Panel>
            <Panel title="Weight norm" aside={<label class="soft">Norm <select value={look.norm}
                onChange={event => amend({norm: event.currentTarget.value === 'l1' ? 'l1' : null})}>
                <option value="l2">L2, √Σw²</option><option value="l1">L1, Σ|w|</option></select></label>}>
                <Chart {...small} title="Weight norm" lines={lines.norm}
                    summary={summary('Weight norm', `weights.${look.norm}_norm`)} />
            </Panel>
            <Panel title="Zero weights" aside={<span class="soft">of {whole(job.latest?.weights.count)}</span>}>
                <Chart {...small} title="Zero weights" lines={lines.zeros} format={short}
                    summary={summary('Zero weights', 'weights.zeros', 'weights.near_zeros')} />
            </Panel>
            <Panel title="Throughput" aside={<span class="soft">training rows per second</span>}>
                <Chart {...small} title="Throughput" lines={lines.speed} format={short}
                    summary={summary('Throughput', 'samples_per_s')} />
            </Panel>
        </div>
        {epochs.thinned.value && <p class="soft">{whole(columns.epoch?.length)} of {whole(job.progress.epoch)} epochs are
            drawn, evenly spread, with the first, the last and the best; zooming in asks for more.</p>}
    </>;
}
