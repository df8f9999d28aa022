// What the best model does on the validation rows: of classes the confusion matrix and figures of
// each, of numbers the residuals.
import {useMemo, useState} from 'preact/hooks';
import {get, url} from '../../api/client';
import {ended, type Job} from '../../api/types';
import {amend, place} from '../../router';
import {Empty, Facts, Fault, Loading, Panel} from '../../ui/basics';
import {number, percent, whole} from '../../ui/format';
import {Histogram, type HistogramData} from './bars';
import {Confusion, Mistakes, mistakesOf, type Mistake} from './confusion';
import {useRemote} from './remote';
import {hasValidation, isSearch} from './text';
import {Scroll} from './scroll';

type Maybe = number | null;

interface ClassFigures {
    name: string;
    support: number;
    predicted: number;
    precision: Maybe;
    recall: Maybe;
    f1: Maybe;
    auc: Maybe;
}

interface Classes {
    kind: 'classes';
    epoch: number;
    rows: number;
    weight: number;
    data_loss: Maybe;
    accuracy: Maybe;
    confusion?: number[][];
    mistakes?: Mistake[];
    classes: ClassFigures[];
    classes_left_off?: number;
    macro: {precision: Maybe; recall: Maybe; f1: Maybe; auc: Maybe};
    binary?: {positive: string; threshold: number; precision: Maybe; recall: Maybe; f1: Maybe; auc: Maybe;
        log_loss: Maybe; brier: Maybe};
    approximate: boolean;
}

interface Numbers {
    kind: 'numbers';
    epoch: number;
    rows: number;
    weight: number;
    mse: Maybe;
    rmse: Maybe;
    mae: Maybe;
    r2: Maybe;
    residuals: {quantiles: Record<string, Maybe>; histogram: HistogramData | null;
        worst: {row: number; true: number; predicted: number; residual: number}[]};
    approximate: boolean;
}

const COLUMNS = [
    ['name', 'Class'], ['support', 'Rows'], ['predicted', 'Predicted'], ['precision', 'Precision'], ['recall', 'Recall'],
    ['f1', 'F1'], ['auc', 'AUC'],
] as const;
type Column = (typeof COLUMNS)[number][0];
const SHOWN = 300;

function PerClass({of, macro}: {of: Classes['classes']; macro: Classes['macro']}) {
    const [all, setAll] = useState(false);
    const [sort = '', way = 'up'] = (place.value.query.get('order') ?? '').split('-');
    const sorted = useMemo(() => {
        if (!COLUMNS.some(([name]) => name === sort))
            return of;
        const turn = way === 'down' ? -1 : 1;
        return [...of].sort((a, b) => {
            const [left, right] = [a[sort as Column], b[sort as Column]];
            if (left === null || right === null)
                return (left === null ? 1 : 0) - (right === null ? 1 : 0);
            return turn * (typeof left === 'string' ? left.localeCompare(String(right), 'en', {numeric: true})
                : left - (right as number));
        });
    }, [of, sort, way]);
    const press = (name: Column) => amend({order: sort !== name ? name : way === 'up' ? `${name}-down` : null});
    const shown = all ? sorted : sorted.slice(0, SHOWN);
    return <Panel title="Each class"><Scroll label="Figures of each class" tall><table>
        <thead><tr>{COLUMNS.map(([name, title]) => <th scope="col" key={name} class={name === 'name' ? '' : 'number'}
            aria-sort={sort !== name ? 'none' : way === 'down' ? 'descending' : 'ascending'}>
            <button class="sort" onClick={() => press(name)}>{title}<span aria-hidden="true">{
                sort !== name ? '' : way === 'down' ? ' ↓' : ' ↑'}</span></button></th>)}</tr></thead>
        <tbody>{shown.map(each => <tr key={each.name}>
            <th scope="row" class="wrap">{each.name}</th>
            <td class="number">{number(each.support)}</td><td class="number">{number(each.predicted)}</td>
            <td class="number">{percent(each.precision, 1)}</td><td class="number">{percent(each.recall, 1)}</td>
            <td class="number">{number(each.f1, 3)}</td><td class="number">{number(each.auc, 4)}</td></tr>)}</tbody>
        <tfoot><tr><th scope="row">Mean</th><td /><td /><td class="number">{percent(macro.precision, 1)}</td>
            <td class="number">{percent(macro.recall, 1)}</td><td class="number">{number(macro.f1, 3)}</td>
            <td class="number">{number(macro.auc, 4)}</td></tr></tfoot>
    </table></Scroll>
    {!all && sorted.length > SHOWN && <button class="small" onClick={() => setAll(true)}>All {whole(sorted.length)} classes</button>}
    </Panel>;
}

function ClassesView({job, of}: {job: Job; of: Classes}) {
    const names = useMemo(() => of.classes.map(each => each.name), [of]);
    const mistakes = useMemo(() => of.mistakes ?? mistakesOf(names, of.confusion ?? [], 100), [of]);
    const supports = useMemo(() => Object.fromEntries(of.classes.map(each => [each.name, each.support])), [of]);
    const {binary} = of;
    return <div class="stack">
        <Panel title={`Best model, epoch ${of.epoch}, on ${whole(of.rows)} validation rows`}><Facts of={[
            ['Accuracy', percent(of.accuracy)], ['Data loss', number(of.data_loss)],
            ...(binary ? [
                ['Positive class', binary.positive], ['AUC', number(binary.auc, 4)],
                ['Precision', percent(binary.precision)], ['Recall', percent(binary.recall)], ['F1', number(binary.f1, 4)],
                ['Brier score', number(binary.brier, 4)],
            ] as [string, string][] : [
                ['Mean AUC', number(of.macro.auc, 4)], ['Mean F1', number(of.macro.f1, 4)],
                ['Mean precision', percent(of.macro.precision)], ['Mean recall', percent(of.macro.recall)],
            ] as [string, string][]),
        ]} />
        {of.approximate && <p class="chart-note">AUC is counted in bins, fine near 0 and 1.</p>}
        {of.classes_left_off ? <p class="chart-note">{whole(of.classes_left_off)} more classes are left off.</p> : null}</Panel>
        <div class="job-charts large">
            {of.confusion && <Confusion names={names} matrix={of.confusion}
                csv={url(`v1/jobs/${encodeURIComponent(job.id)}/evaluation`, {format: 'csv'})} />}
            <Mistakes of={mistakes} supports={supports} />
        </div>
        <PerClass of={of.classes} macro={of.macro} />
    </div>;
}

const QUANTILES: [string, string][] = [['0', 'Least'], ['0.01', '1 %'], ['0.05', '5 %'], ['0.25', '25 %'], ['0.5', 'Median'],
    ['0.75', '75 %'], ['0.95', '95 %'], ['0.99', '99 %'], ['1', 'Greatest']];

function NumbersView({of}: {of: Numbers}) {
    const {residuals} = of;
    return <div class="stack">
        <Panel title={`Best model, epoch ${of.epoch}, on ${whole(of.rows)} validation rows`}><Facts of={[
            ['RMSE', number(of.rmse, 5)], ['MAE', number(of.mae, 5)], ['R²', number(of.r2, 4)], ['MSE', number(of.mse, 5)]]} />
            <p class="chart-note">A residual is the prediction less the truth, in the target’s own unit: below 0 the model said too
                little, above 0 too much.</p></Panel>
        <div class="job-charts large">
            <Panel title="Residuals">
                {residuals.histogram && <Histogram of={residuals.histogram} label="Residuals" colour="--validation" height={190} />}
                <Scroll label="Quantiles of the residuals"><table>
                    <thead><tr>{QUANTILES.map(([key, title]) => <th scope="col" class="number" key={key}>{title}</th>)}</tr></thead>
                    <tbody><tr>{QUANTILES.map(([key]) => <td class="number" key={key}>{number(residuals.quantiles[key])}</td>)}</tr></tbody>
                </table></Scroll>
                {of.approximate && <p class="chart-note">Quantiles and histogram are counted in bins.</p>}
            </Panel>
            <Panel title="Largest residuals"><Scroll label="Rows with the largest residuals"><table>
                <thead><tr><th scope="col" class="number">Row of the dataset</th><th scope="col" class="number">True</th>
                    <th scope="col" class="number">Predicted</th><th scope="col" class="number">Residual</th></tr></thead>
                <tbody>{residuals.worst.map(each => <tr key={each.row}>
                    <td class="number">{whole(each.row)}</td><td class="number">{number(each.true, 6)}</td>
                    <td class="number">{number(each.predicted, 6)}</td><td class="number">{number(each.residual, 5)}</td></tr>)}</tbody>
            </table></Scroll></Panel>
        </div>
    </div>;
}

export function Evaluation({job}: {job: Job}) {
    const fit = job.status === 'succeeded' && hasValidation(job);
    const {value, fault, again} = useRemote(fit ? job.id : null, signal =>
        get<Classes | Numbers>(`v1/jobs/${encodeURIComponent(job.id)}/evaluation`, {signal}));
    if (!ended(job.status))
        return <Empty title="The evaluation comes with the job’s end"><p>Then the best model goes through the validation rows once
            more. Until then the overview has its figures.</p></Empty>;
    if (!fit)
        return <Empty title="No evaluation"><p>{job.status !== 'succeeded' ? 'A job that failed or was cancelled keeps no model to '
            + 'evaluate.' : isSearch(job) ? 'A search’s last training is on all of its rows: none are left to be evaluated on. Its '
            + 'table has the figures of the folds.' : 'This job had no validation rows to be evaluated on.'}</p></Empty>;
    if (fault)
        return (fault as {status?: number}).status === 404
            ? <Empty title="No evaluation"><p>There is nothing to tell: it trained no model, or there was no memory for it.</p></Empty>
            : <><Fault fault={fault} /><p><button onClick={again}>Try again</button></p></>;
    if (!value)
        return <Loading what="the evaluation" />;
    return value.kind === 'classes' ? <ClassesView job={job} of={value} /> : <NumbersView of={value} />;
}
