// What the penalty does to the weights: how many are left, and how large they are.
import {number, whole} from '../../ui/format';
import {curveColour, inZoom, nearest, wholeX, xScale, type View} from './curve';
import {linePath, Plot, Swatch, useGeometry} from './plot';
import {scale, tickText} from '../../ui/scale';
import type {Trial} from './table';

const HEIGHT = 230;

function OneFigure(props: {view: View; title: string; of: (trial: Trial) => number | null; format: (v: number) => string}) {
    const [box, g] = useGeometry(HEIGHT);
    const {view, of} = props;
    const shown = view.table.trials.filter(each => inZoom(view, each));
    const values = shown.map(of).filter((value): value is number => value !== null);
    const x = xScale(view, g.left, g.right);
    const y = scale([0, ...values], g.bottom, g.top + 6, {count: 4});
    y.ticks = y.ticks.filter(value => value >= 0 && y.at(value) <= g.bottom);
    const top = Math.max(...values, 0);
    const at = (trial: Trial): [number, number | null] => {
        const value = of(trial);
        return [x.at(trial[view.along] ?? 0), value === null ? null : y.at(value)];
    };
    const hot = shown.find(each => each.trial === view.hot);
    const said = hot && of(hot) !== null ? `: ${props.format(of(hot)!)}` : '';
    return <Plot box={box} g={g} height={HEIGHT} x={x} y={y} xTitle={view.along} yTitle={props.title + said}
        summary={`${props.title} over ${view.along}, ${props.format(Math.min(...values, top))} to ${props.format(top)}`}
        onZoom={view.setZoom} whole={wholeX(view)} onPlace={(px, py) => view.setHot(nearest(view, at, px, py))}>
        {view.curves.map((curve, k) => <g key={curve.key} style={{color: `var(${view.curves.length === 1
            ? '--penalty' : curveColour(view, k)})`}}>
            <path class="curve" d={linePath(curve.trials.filter(each => inZoom(view, each)).map(at))} />
            {curve.trials.filter(each => inZoom(view, each)).map(trial => at(trial)[1] !== null &&
                <circle key={trial.trial} class={trial.status === 'ended' ? 'ended' : 'point'} cx={at(trial)[0]}
                    cy={at(trial)[1]!} r={trial.trial === view.hot ? 5 : 2.5} />)}
        </g>)}
    </Plot>;
}

export function Weights({view}: {view: View}) {
    const left = (trial: Trial) => (trial.zeros === null ? null : trial.count - trial.zeros);
    return <>
        <OneFigure view={view} title="weights that are not zero" of={left} format={value =>
            (value < 1000 ? number(value, 3) : whole(value))} />
        <OneFigure view={view} title="l2_norm of the weights" of={trial => trial.l2_norm}
            format={value => tickText(Number(value.toPrecision(4)))} />
        {view.curves.length > 1 && <div class="legend">{view.curves.map((curve, k) => <span key={curve.key}>
            <Swatch colour={curveColour(view, k)} /> {curve.key}</span>)}</div>}
    </>;
}
