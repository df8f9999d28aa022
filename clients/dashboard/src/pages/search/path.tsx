// The coefficient path of a warm search: each weight over the strength, so that one sees which column
// comes in when. The strongest penalty stands right, as in the other pictures.
import {useMemo, useState} from 'preact/hooks';
import {number} from '../../ui/format';
import {runColour} from '../../ui/theme';
import {Panel} from '../../ui/basics';
import {leaves} from '../../ui/touch';
import {linePath, Plot, Swatch, useGeometry} from './plot';
import {scale} from '../../ui/scale';
import {strength, type PathPoint, type Table} from './table';

const HEIGHT = 340, LISTED = 40;

// The names of the weights: the columns', where each of them is one feature; of several outputs with
// the output's number.
export function weightNames(features: string[], count: number): string[] {
    const outputs = features.length ? count / features.length : 0;
    return Array.from({length: count}, (_, k) => {
        if (!Number.isInteger(outputs) || outputs < 1)
            return `weight ${k + 1}`;
        const name = features[k % features.length]!;
        return outputs === 1 ? name : `${name} → output ${Math.floor(k / features.length) + 1}`;
    });
}

export function CoefficientPath({table, path, features}: {table: Table; path: PathPoint[]; features: string[]}) {
    // With L2 strengths besides there is a path for each of them.
    const groups = useMemo(() => [...new Set(path.map(each => each.l2))], [path]);
    const [group, setGroup] = useState<number | null>(null);
    const [hot, setHot] = useState<number | null>(null);
    const [box, g] = useGeometry(HEIGHT);
    const l2 = group ?? table.chosen?.l2 ?? groups[0]!;
    const points = path.filter(each => each.l2 === l2).sort((a, b) => a.l1 - b.l1);
    const names = useMemo(() => weightNames(features, path[0]?.weights.length ?? 0), [features, path]);
    const largest = names.map((_, k) => Math.max(...points.map(each => Math.abs(each.weights[k] ?? 0))));
    // Where there are very many, those that grow large tell the story.
    const order = names.map((_, k) => k).filter(k => largest[k]! > 0).sort((a, b) => largest[b]! - largest[a]!)
        .slice(0, 200);
    const x = scale(points.map(each => each.l1), g.left + 16, g.right - 16, {log: true, zeroPlace: true,
        count: Math.max(3, Math.floor((g.right - g.left) / 80))});
    const y = scale(order.flatMap(k => points.map(each => each.weights[k] ?? 0)).concat(0), g.bottom - 6, g.top + 6,
        {pad: 0.03, count: 7});
    const find = (px: number | null, py: number) => {
        if (px === null)
            return setHot(null);
        const at = points.reduce((a, b) => (Math.abs(x.at(b.l1) - px) < Math.abs(x.at(a.l1) - px) ? b : a), points[0]!);
        let best: number | null = null, least = 24;
        for (const k of order) {
            const far = Math.abs(y.at(at.weights[k] ?? 0) - py);
            if (far < least) {
                least = far;
                best = k;
            }
        }
        setHot(best);
    };
    const chosen = table.chosen && (groups.length === 1 || table.chosen.l2 === l2) ? table.chosen.l1 : undefined;
    const atChoice = chosen === undefined ? points[0]
        : points.find(each => Math.abs(each.l1 - chosen) <= 1e-9 * Math.max(1, chosen));
    return <Panel title="Coefficient path" aside={groups.length > 1 && <label>l2{' '}
        <select value={String(l2)} onChange={event => setGroup(Number(event.currentTarget.value))}>
            {groups.map(each => <option key={each} value={String(each)}>{strength(each)}</option>)}
        </select></label>}>
        <p class="soft">Each line is one weight, trained on all rows. To the right the penalty grows and weights leave.</p>
        <Plot box={box} g={g} height={HEIGHT} x={x} y={y} xTitle="l1" yTitle={hot === null ? 'weight' : names[hot]!}
            summary={`${order.length} of ${names.length} weights over l1; ${order.slice(0, 5).map(k => names[k]).join(', ')
            } grow largest.`} onPlace={find}>
            <line class="axis-line" x1={g.left} x2={g.right} y1={y.at(0)} y2={y.at(0)} />
            {chosen !== undefined && <>
                <line x1={x.at(chosen)} x2={x.at(chosen)} y1={g.top} y2={g.bottom} style={{stroke: 'var(--accent)'}}
                    stroke-width="2" />
                <text class="mark" x={x.at(chosen) + 6} y={g.top + 12} style={{fill: 'var(--accent)'}}>chosen</text>
            </>}
            {order.map((k, place) => <path key={k} class={`curve ${hot === null || hot === k ? '' : 'dim'}`}
                stroke-width={hot === k ? 3 : 1.5} style={{color: `var(${runColour(place)})`}}
                d={linePath(points.map(each => [x.at(each.l1), y.at(each.weights[k] ?? 0)]))} />)}
        </Plot>
        <ul class="weights-list" aria-label="Weights at the choice">{order.slice(0, LISTED).map((k, place) =>
            <li key={k} class={hot === k ? 'hot' : ''} onPointerEnter={() => setHot(k)} onPointerLeave={event => leaves(event) && setHot(null)}>
                <Swatch colour={runColour(place)} /> {names[k]} <b>{number(atChoice?.weights[k] ?? 0, 3)}</b></li>)}
            {order.length > LISTED && <li class="soft">and {order.length - LISTED} more</li>}</ul>
    </Panel>;
}
