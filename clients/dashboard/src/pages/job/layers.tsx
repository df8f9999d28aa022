// Each linear layer of a job that has ended, with the best and with the last weights.
import {get} from '../../api/client';
import {ended, type Job} from '../../api/types';
import {amend, place} from '../../router';
import {Empty, Facts, Fault, Loading, Panel} from '../../ui/basics';
import {number, percent, whole} from '../../ui/format';
import {Histogram, Share, type HistogramData} from './bars';
import {useRemote} from './remote';
import {Scroll} from './scroll';

interface Layer {
    name: string;
    in: number;
    out: number;
    count: number;
    l1_norm: number;
    l2_norm: number;
    zeros: number;
    near_zeros: number;
    dead: number | null;
    unread: number | null;
    histogram: HistogramData | null;
    data_gradient: number | null;
    penalty_gradient: number | null;
    penalty_share: number | null;
}

interface Weights {
    epoch: number;
    lambda_hat: number | null;
    layers: Layer[];
}

interface LayersDocument {
    rows: number;
    best: Weights;
    last: Weights;
}

const of = (part: number, all: number) => <>{whole(part)} <span class="soft">({percent(part / Math.max(1, all), 1)})</span></>;

export function Layers({job}: {job: Job}) {
    const fit = job.status === 'succeeded';
    const {value, fault, again} = useRemote(fit ? job.id : null, signal =>
        get<LayersDocument>(`v1/jobs/${encodeURIComponent(job.id)}/layers`, {signal}));
    if (!ended(job.status))
        return <Empty title="Layers come with the job’s end"><p>While it runs, the overview has norms and zeros of all
            layers together.</p></Empty>;
    if (!fit)
        return <Empty title="No layers"><p>A job that failed or was cancelled keeps no weights to look at.</p></Empty>;
    if (fault)
        return (fault as {status?: number}).status === 404
            ? <Empty title="No layers"><p>There is nothing to tell of this job’s layers: it trained no model, or there was no
                memory to look at them.</p></Empty>
            : <><Fault fault={fault} /><p><button onClick={again}>Try again</button></p></>;
    if (!value)
        return <Loading what="the layers" />;
    const same = value.best.epoch === value.last.epoch;
    const which = !same && place.value.query.get('weights') === 'last' ? 'last' : 'best';
    const now = value[which];
    return <div class="stack">
        <div class="buttons">
            {same ? <span>Epoch {now.epoch}, the best and the last.</span>
                : <label>Weights of <select value={which} onChange={event => amend({weights: event.currentTarget.value === 'last'
                    ? 'last' : null})}>
                    <option value="best">the best epoch, {value.best.epoch}</option>
                    <option value="last">the last epoch, {value.last.epoch}</option></select></label>}
            <span class="soft">Gradients and dead units on {whole(value.rows)} training rows.
                {now.lambda_hat !== null && <> <code>lambda_hat</code> {number(now.lambda_hat)}</>}</span>
        </div>
        <Panel title="All layers"><Scroll label="All layers"><table>
            <thead><tr>
                <th scope="col">Layer</th><th scope="col" class="number">Inputs → units</th><th scope="col" class="number">Weights</th>
                <th scope="col" class="number">Zeros</th><th scope="col" class="number">Near 0</th>
                <th scope="col" class="number">Dead units</th><th scope="col" class="number">Unread units</th>
                <th scope="col" class="number">L2 norm</th><th scope="col">Penalty’s share of the gradient</th></tr></thead>
            <tbody>{now.layers.map(layer => <tr key={layer.name}>
                <th scope="row"><code>{layer.name}</code></th>
                <td class="number">{whole(layer.in)} → {whole(layer.out)}</td>
                <td class="number">{whole(layer.count)}</td>
                <td class="number">{of(layer.zeros, layer.count)}</td>
                <td class="number">{of(layer.near_zeros, layer.count)}</td>
                <td class="number">{layer.dead === null ? '–' : of(layer.dead, layer.out)}</td>
                <td class="number">{layer.unread === null ? '–' : of(layer.unread, layer.out)}</td>
                <td class="number">{number(layer.l2_norm)}</td>
                <td>{layer.penalty_share === null ? '–' : <Share value={layer.penalty_share} colour="--penalty" />}</td>
            </tr>)}</tbody>
        </table></Scroll>
        <p class="chart-note">A share of 50 %: data and penalty pull alike, as at an optimum. Far below, the penalty hardly
            matters yet; above, it is still pulling the weights in. Dead: a relu or gelu unit that puts out 0 on every
            training row. Unread: all weights that lead from the unit are 0.</p></Panel>
        <div class="job-charts">{now.layers.map(layer => <Panel key={layer.name} title={`Layer ${layer.name}`}
            aside={<span class="soft">{whole(layer.in)} → {whole(layer.out)}</span>}>
            {layer.histogram && <Histogram of={layer.histogram} label={`Weights of layer ${layer.name}`} colour="--run-6" />}
            <Facts of={[
                ['L1 norm', number(layer.l1_norm)], ['L2 norm', number(layer.l2_norm)],
                ['Gradient of the data', number(layer.data_gradient)],
                ['Gradient of the penalty', number(layer.penalty_gradient)],
            ]} />
        </Panel>)}</div>
    </div>;
}
