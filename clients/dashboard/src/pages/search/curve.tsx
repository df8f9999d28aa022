// The strength curve: mean validation loss with its standard errors, the training loss faint, both
// choices as lines with words, and the band within which strengths cannot be told apart.
import {number} from '../../ui/format';
import {runColour} from '../../ui/theme';
import {linePath, Plot, Swatch, useGeometry} from './plot';
import {scale} from '../../ui/scale';
import {searched, strength, strengthText, trialOf, type Series, type Strength, type Table, type Trial} from './table';

const HEIGHT = 380;

export interface View {
    table: Table;
    along: Strength;
    curves: Series[];
    zoom: [number, number] | null; // strengths
    hot: number | null; // the trial under the pointer
    setHot: (trial: number | null) => void;
    setZoom: (range: [number, number] | null) => void;
}

export const inZoom = (view: View, trial: Trial): boolean => {
    const value = trial[view.along] ?? 0;
    return !view.zoom || (value >= view.zoom[0] * 0.9999 && value <= view.zoom[1] * 1.0001);
};

// The strengths of the picture's x axis.
export function xScale(view: View, left: number, right: number) {
    const values = view.table.trials.filter(each => inZoom(view, each)).map(each => each[view.along] ?? 0);
    const ends = view.zoom?.filter(value => value > 0) ?? [];
    return scale([...values, ...ends], left + 16, right - 16, {log: view.along !== 'dropout', zeroPlace: true,
        count: Math.max(3, Math.floor((right - left) / 80))});
}

// All that a zoom can show: from the least strength that the axis has a place for to the greatest.
export function wholeX(view: View): [number, number] | undefined {
    const values = view.table.trials.map(each => each[view.along] ?? 0)
        .filter(value => value > 0 || view.along === 'dropout');
    const low = Math.min(...values), high = Math.max(...values);
    return low < high ? [low, high] : undefined;
}

// The curve that the choice is on, or the one with the least loss.
export function lead(view: View): number {
    const chosen = view.table.chosen ?? view.table.min;
    const by = (test: (trial: Trial) => boolean) => view.curves.findIndex(each => each.trials.some(test));
    if (chosen)
        return Math.max(0, by(each => each.trial === chosen.trial));
    let best: Trial | null = null;
    for (const each of view.table.trials)
        if (each.mean_data_loss !== null && (best === null || each.mean_data_loss < best.mean_data_loss!))
            best = each;
    return best ? Math.max(0, by(each => each === best)) : 0;
}

export const curveColour = (view: View, k: number): string =>
    (view.curves.length === 1 ? '--validation' : runColour(k));

// The trial nearest to a place of a picture.
export function nearest(view: View, at: (trial: Trial) => [number, number | null], px: number | null, py: number) {
    if (px === null)
        return null;
    let best: number | null = null, least = 60 ** 2;
    for (const trial of view.table.trials) {
        if (!inZoom(view, trial))
            continue;
        const [x, y] = at(trial);
        const far = (x - px) ** 2 + (y === null ? 0 : ((y - py) / 3) ** 2);
        if (far < least) {
            least = far;
            best = trial.trial;
        }
    }
    return best;
}

function summaryOf(view: View): string {
    const {table} = view;
    const names = searched(table);
    const least = trialOf(table, table.min), one = trialOf(table, table.one_se);
    return `Mean validation data_loss over ${view.along}, ${table.trials.length} of ${table.trials_total} strengths.`
        + (least ? ` The least is ${number(least.mean_data_loss)}, at ${strengthText(least, names)}.` : '')
        + (one ? ` The strongest within one standard error has ${number(one.mean_data_loss)}, at ${
            strengthText(one, names)}.` : '')
        + ' The table of trials has all figures.';
}

// A word at a line: right of it where there is room.
function Word({x, y, right, colour, text}: {x: number; y: number; right: number; colour: string; text: string}) {
    const turn = x + 7 * text.length + 8 > right;
    return <text class="mark" x={turn ? x - 6 : x + 6} y={y} text-anchor={turn ? 'end' : 'start'}
        style={{fill: `var(${colour})`}}>{text}</text>;
}

export function StrengthCurve({view, log, folds}: {view: View; log: boolean; folds: boolean}) {
    const [box, g] = useGeometry(HEIGHT);
    const {table, along, curves} = view;
    const shown = table.trials.filter(each => inZoom(view, each) && each.mean_data_loss !== null);
    const x = xScale(view, g.left, g.right);
    const first = lead(view);
    const losses = shown.flatMap(each => [each.mean_data_loss! + (each.standard_error ?? 0),
        each.mean_data_loss! - (each.standard_error ?? 0), ...(folds ? each.folds.filter(one => one !== null) : [])]);
    const training = (curves[first]?.trials ?? []).filter(each => inZoom(view, each));
    // A training loss far below everything else would press the rest flat.
    const floor = Math.min(...losses);
    losses.push(...training.map(each => each.train_data_loss)
        .filter((value): value is number => value !== null && value > (log ? floor / 4 : -Infinity)));
    const y = scale(losses, g.bottom - 26, g.top + 20, {log, pad: log ? 0.04 : 0.05, count: 7});
    // What lies far below the frame leaves it; the frame clips the line.
    const inFrame = (value: number | null) => (value === null || !(value > 0 || !log) ? null
        : Math.min(g.bottom + 2000, Math.max(g.top, y.at(value))));
    const min = trialOf(table, table.min), one = trialOf(table, table.one_se), chosen = table.chosen?.trial;
    const names = searched(table);
    const at = (trial: Trial): [number, number | null] => [x.at(trial[along] ?? 0), inFrame(trial.mean_data_loss)];
    const marks = [
        {trial: min, word: 'min', colour: '--good', row: 0},
        {trial: one && one.trial === min?.trial ? undefined : one, word: '1se', colour: '--accent', row: 1},
    ];
    if (one && one.trial === min?.trial)
        marks[0]!.word = 'min and 1se';
    const limit = min && min.standard_error !== null && table.one_se ? min.mean_data_loss! + min.standard_error : null;
    return <>
        <Plot box={box} g={g} height={HEIGHT} x={x} y={y} xTitle={`${along}, stronger to the right →`}
            yTitle={log ? 'data_loss (log axis)' : 'data_loss'} summary={summaryOf(view)} onZoom={view.setZoom}
            whole={wholeX(view)}
            onPlace={(px, py) => view.setHot(nearest(view, at, px, py))}>
            {limit !== null && min && <>
                <rect class="band" x={g.left} width={g.right - g.left} y={inFrame(limit)!}
                    height={Math.max(1, inFrame(min.mean_data_loss)! - inFrame(limit)!)} />
                {g.width > 560 && <text text-anchor="end" x={g.right - 4} y={inFrame(limit)! - 4}>one standard error</text>}
            </>}
            {marks.map(({trial, word, colour, row}) => trial && inZoom(view, trial) && <g key={word}>
                <line x1={at(trial)[0]} x2={at(trial)[0]} y1={g.top} y2={g.bottom} style={{stroke: `var(${colour})`}}
                    stroke-width={trial.trial === chosen ? 2 : 1.2}
                    stroke-dasharray={trial.trial === chosen ? undefined : '4 4'} />
                <Word x={at(trial)[0]} y={g.top + 12 + 15 * row} right={g.right} colour={colour}
                    text={word + (trial.trial === chosen ? ', chosen' : '')} />
            </g>)}
            <path class="training" d={linePath(training.map(each =>
                [x.at(each[along] ?? 0), inFrame(each.train_data_loss)]))} />
            {curves.map((curve, k) => <g key={curve.key} style={{color: `var(${curveColour(view, k)})`}}>
                <path class="curve" d={linePath(curve.trials.filter(each => inZoom(view, each)).map(at))} />
                {curve.trials.filter(each => inZoom(view, each)).map(trial => {
                    const [px, py] = at(trial);
                    if (py === null)
                        return <text key={trial.trial} class="failed" x={px} y={g.bottom - 8}
                            text-anchor="middle">×</text>;
                    const se = trial.standard_error;
                    return <g key={trial.trial} class={trial.trial === view.hot ? 'hot' : ''}>
                        {se !== null && (curves.length === 1 || k === first || trial.trial === view.hot) &&
                            <path class="error-bar" d={`M${px - 3.5} ${inFrame(trial.mean_data_loss! + se)}h7m-3.5 0V${
                                inFrame(Math.max(log ? y.low : -Infinity, trial.mean_data_loss! - se))}m-3.5 0h7`} />}
                        {folds && trial.folds.map((value, fold) => inFrame(value) !== null &&
                            <circle key={fold} class="fold" cx={px} cy={inFrame(value)!} r="2" />)}
                        <circle class={trial.status === 'ended' ? 'ended' : 'point'} cx={px} cy={py}
                            r={trial.trial === view.hot ? 5.5 : 3.5} />
                    </g>;
                })}
            </g>)}
        </Plot>
        <div class="legend">
            {curves.map((curve, k) => <span key={curve.key}><Swatch colour={curveColour(view, k)} />
                {' '}{curve.key || 'validation, mean of the folds'}</span>)}
            <span><Swatch colour="--train" dash="4 3" /> training{curves.length > 1 && `, ${curves[first]?.key}`}</span>
            {table.trials.some(each => each.status === 'ended') && <span>○ ended early</span>}
            {table.trials.some(each => each.status === 'failed') && <span>× failed</span>}
        </div>
        <Readout table={table} names={names} hot={view.hot} />
    </>;
}

// The figures of the trial under the pointer, else of the choice: a line that is always there, so that
// nothing moves.
function Readout({table, names, hot}: {table: Table; names: Strength[]; hot: number | null}) {
    const trial = table.trials.find(each => each.trial === (hot ?? table.chosen?.trial ?? -1));
    if (!trial)
        return <p class="search-readout soft">Point at a strength to read its figures.</p>;
    return <p class="search-readout">
        <b>{strengthText(trial, names)}</b>{trial.trial === table.chosen?.trial && ' (chosen)'}:{' '}
        {trial.status === 'failed' ? <>failed. {trial.error}</> : <>
            validation <b>{number(trial.mean_data_loss)}</b>
            {trial.standard_error !== null && <> ± {number(trial.standard_error, 2)}</>}, training{' '}
            {number(trial.train_data_loss)}, {strength(trial.count - (trial.zeros ?? 0))} of {trial.count} weights not zero
            {trial.status === 'ended' && `, ended after ${trial.epochs} epochs`}</>}
    </p>;
}
