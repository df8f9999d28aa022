// The overfitting report of a job that has ended: the verdict in words, the figures it rests on, and
// the rule that spoke. And the key figures, which stand there from the first epoch on.
import type {Job, Metrics} from '../../api/types';
import {Facts, Panel} from '../../ui/basics';
import {duration, exact, number, percent, short, whole} from '../../ui/format';
import type {ComponentChildren} from 'preact';
import {rowOf} from './epochs';
import {hasValidation, isClasses, RULES, type End, type Report} from './text';
import {Scroll} from './scroll';

const KINDS: Record<string, 'good' | 'bad' | 'warn' | ''> = {
    fits: 'good', overfits: 'bad', unstable: 'bad', not_learning: 'bad', underfits: 'warn', still_improving: 'warn',
    too_early: '', no_validation: '', not_measured: '',
};
const SIGNS = {good: '✓', bad: '✕', warn: '!', '': '·'};

const interval = (gap: {low: number | null; high: number | null} | null | undefined): string =>
    gap && gap.low !== null && gap.high !== null ? `${number(gap.low)} to ${number(gap.high)}` : '–';

export function ReportPanel({report, lambda, classes}: {report: Report; lambda: number | null | undefined; classes: boolean}) {
    const kind = KINDS[report.verdict] ?? '';
    const score = (at: {accuracy?: number | null; rmse?: number | null} | null | undefined) =>
        classes ? percent(at?.accuracy) : number(at?.rmse, 5);
    const colon = report.sentence.indexOf(': ');
    const [head, rest] = colon > 0 ? [report.sentence.slice(0, colon), report.sentence.slice(colon + 2)]
        : [report.sentence, ''];
    const columns = [['Best', report.best], ['Last', report.last]] as const;
    return <Panel title="Overfitting report" class={`report ${kind}`}>
        <p class="verdict"><span class={`badge ${kind}`}><span aria-hidden="true">{SIGNS[kind]}</span> {head}</span> {rest}</p>
        <div class="report-body">
            {report.best && report.last && <Scroll label="Best and last epoch"><table>
                <thead><tr><th scope="col"><span class="hidden">Figure</span></th>{columns.map(([name, at]) =>
                    <th scope="col" class="number" key={name}>{name} (epoch {at!.epoch})</th>)}</tr></thead>
                <tbody>
                    <tr><th scope="row">Train loss</th>{columns.map(([name, at]) =>
                        <td class="number" key={name}>{number(at!.train?.data_loss)}</td>)}</tr>
                    <tr><th scope="row">Validation loss</th>{columns.map(([name, at]) =>
                        <td class="number" key={name}>{number(at!.validation?.data_loss)}</td>)}</tr>
                    <tr><th scope="row">Gap</th>{columns.map(([name, at]) =>
                        <td class="number" key={name}>{number(at!.gap?.loss)}</td>)}</tr>
                    <tr><th scope="row">Gap, 95 %</th>{columns.map(([name, at]) =>
                        <td class="number" key={name}>{interval(at!.gap)}</td>)}</tr>
                    <tr><th scope="row">{classes ? 'Train accuracy' : 'Train RMSE'}</th>{columns.map(([name, at]) =>
                        <td class="number" key={name}>{score(at!.train)}</td>)}</tr>
                    <tr><th scope="row">{classes ? 'Validation accuracy' : 'Validation RMSE'}</th>{columns.map(([name, at]) =>
                        <td class="number" key={name}>{score(at!.validation)}</td>)}</tr>
                </tbody>
            </table></Scroll>}
            <div class="report-words">
                <p><b>The rule:</b> {RULES[report.verdict] ?? report.verdict}</p>
                {report.suggested_l2 !== null && <p><b>Suggested l2:</b> {exact(report.suggested_l2)}, the order of
                    magnitude of <code>lambda_hat</code>. Take it as the middle of a range to search.</p>}
                {typeof lambda === 'number' && <p class="soft"><code>lambda_hat</code> = {number(lambda)}: the l2 whose pull
                    on the weights would equal that of the data at the best epoch. It names an order of magnitude, where
                    training stopped on its way; after convergence it is much too small.</p>}
                <p class="soft">A rule of thumb in words; the figures are what was measured. The interval says how well
                    the validation rows pin the gap down.</p>
            </div>
        </div>
    </Panel>;
}

export function KeyFigures({job, columns, end}: {job: Job; columns: Metrics | null; end: End | null}) {
    const classes = isClasses(job);
    const validated = hasValidation(job);
    const {latest, best} = job;
    if (!latest)
        return null;
    const row = columns && best ? rowOf(columns, best.epoch) : -1;
    const exactRow = row >= 0 && columns!.epoch![row] === best!.epoch;
    const at = (name: string): number | null => (exactRow ? columns![name]?.[row] ?? null : null);
    const score = classes ? 'accuracy' : 'rmse';
    const say = (value: number | null | undefined) => (classes ? percent(value) : number(value, 5));
    const title = classes ? 'accuracy' : 'RMSE';
    const penalty = latest.penalty.l1 + latest.penalty.l2;
    const test = end?.test;
    const figures: [string, ComponentChildren][] = [];
    if (validated)
        figures.push(
            ['Best epoch', best ? <>{whole(best.epoch)} <span class="soft">of {whole(latest.epoch)}</span></> : '–'],
            ['Validation loss at best', number(best?.metric === 'validation.data_loss' ? best.value : at('validation.data_loss'))],
            ['Train loss at best', number(at('train.data_loss'))],
            [`Validation ${title} at best`, say(at(`validation.${score}`))],
            ['Gap at best', number(at('gap.loss'))],
            ['Gap now', number(latest.gap?.loss)]);
    else
        figures.push(
            ['Epoch', whole(latest.epoch)],
            ['Train loss', number(latest.train.data_loss)],
            [`Train ${title}`, say(latest.train[score])]);
    figures.push(
        ['Penalty’s share of the objective', latest.objective ? percent(penalty / latest.objective) : '–'],
        ['Zero weights', <>{whole(latest.weights.zeros)} <span class="soft">({percent(latest.weights.zeros
            / Math.max(1, latest.weights.count), 1)})</span></>]);
    if (test)
        figures.push(['Test loss', number(test.data_loss)], [`Test ${title}`, say(test[score])]);
    figures.push(
        ['Parameters', whole(job.model?.parameters ?? latest.weights.count)],
        ['Samples per second', <>{short(latest.samples_per_s)} <span class="soft">on {latest.threads} {latest.threads === 1
            ? 'thread' : 'threads'}</span></>],
        ['Trained for', duration(latest.elapsed_s)]);
    return <Panel title="Key figures" class="key-figures"><Facts of={figures} /></Panel>;
}
