// The trials as a table that can be sorted; each can be made a job of its own.
import {amend, href, place} from '../../router';
import type {Job} from '../../api/types';
import {number, percent, short} from '../../ui/format';
import {Panel} from '../../ui/basics';
import {leaves} from '../../ui/touch';
import {aloneSpec, strength, type Strength, type Table, type Trial} from './table';

interface Column {
    id: string;
    title: string;
    value: (trial: Trial) => number | null | undefined;
    text: (trial: Trial) => string;
}

function columnsOf(table: Table, names: Strength[]): Column[] {
    const has = (name: 'mean_accuracy' | 'mean_rmse') => table.trials.some(each => each[name] !== undefined);
    return [
        {id: 'trial', title: 'Trial', value: each => each.trial, text: each => String(each.trial)},
        ...names.map(name => ({id: name, title: name, value: (each: Trial) => each[name],
            text: (each: Trial) => strength(each[name])})),
        {id: 'loss', title: 'Validation', value: each => each.mean_data_loss, text: each => number(each.mean_data_loss)},
        {id: 'se', title: '± error', value: each => each.standard_error, text: each => number(each.standard_error, 2)},
        {id: 'train', title: 'Training', value: each => each.train_data_loss, text: each => number(each.train_data_loss)},
        ...(has('mean_accuracy') ? [{id: 'accuracy', title: 'Accuracy', value: (each: Trial) => each.mean_accuracy,
            text: (each: Trial) => percent(each.mean_accuracy)}] : []),
        ...(has('mean_rmse') ? [{id: 'rmse', title: 'RMSE', value: (each: Trial) => each.mean_rmse,
            text: (each: Trial) => number(each.mean_rmse)}] : []),
        {id: 'left', title: 'Not zero', value: each => (each.zeros === null ? null : each.count - each.zeros),
            text: each => (each.zeros === null ? '–' : short(each.count - each.zeros))},
        {id: 'norm', title: 'l2_norm', value: each => each.l2_norm, text: each => number(each.l2_norm)},
        {id: 'epochs', title: 'Epochs', value: each => each.epochs, text: each => String(each.epochs)},
    ];
}

const LINK_BYTES_MAX = 16_000; // of a spec in an address: a job with its rows inside is larger

function Alone({job, trial}: {job: Job; trial: Trial}) {
    const spec = JSON.stringify(aloneSpec(job, trial));
    if (spec.length > LINK_BYTES_MAX)
        return null;
    return <a href={href(['new'], {spec})} aria-label={`Train alone: trial ${trial.trial}`}>Train alone</a>;
}

function state(trial: Trial): string {
    if (trial.status === 'failed')
        return `failed: ${trial.error ?? 'a loss was not finite'}`;
    return trial.status === 'ended' ? `ended early, after ${trial.epochs} epochs` : '';
}

export function Trials({table, names, job, hot, setHot}: {table: Table; names: Strength[]; job: Job | null;
    hot: number | null; setHot: (trial: number | null) => void}) {
    const columns = columnsOf(table, names);
    const asked = place.value.query.get('sort') ?? 'trial';
    const down = asked.startsWith('-');
    const by = columns.find(each => each.id === asked.replace(/^-/, '')) ?? columns[0]!;
    const rows = [...table.trials].sort((a, b) => {
        const x = by.value(a), y = by.value(b);
        if (x === null || x === undefined || y === null || y === undefined)
            return (x === null || x === undefined ? 1 : 0) - (y === null || y === undefined ? 1 : 0);
        return down ? y - x : x - y;
    });
    return <Panel title="Trials" aside={<span class="soft">{table.trials.length} of {table.trials_total}</span>}>
        <div class="scroll" tabIndex={0} role="group" aria-label="Trials, a table that scrolls">
            <table class="trials">
                <thead><tr>{columns.map(each => {
                    const mine = each === by;
                    return <th key={each.id} scope="col" class="number"
                        aria-sort={mine ? (down ? 'descending' : 'ascending') : 'none'}>
                        <button class="sort" onClick={() => amend({sort: mine && !down ? `-${each.id}` : each.id})}>
                            {each.title}<span aria-hidden="true">{mine ? (down ? ' ↓' : ' ↑') : ''}</span></button></th>;
                })}<th scope="col">State</th><th scope="col">As a job</th></tr></thead>
                <tbody>{rows.map(trial => <tr key={trial.trial} class={trial.trial === hot ? 'hot' : ''}
                    onPointerEnter={() => setHot(trial.trial)} onPointerLeave={event => leaves(event) && setHot(null)}>
                    {columns.map(each => <td key={each.id} class="number" title={String(each.value(trial) ?? '')}>
                        {each.text(trial)}</td>)}
                    <td class="state">
                        {trial.trial === table.chosen?.trial && <span class="badge good">chosen</span>}{' '}
                        {trial.trial === table.min?.trial && <span class="badge">min</span>}{' '}
                        {trial.trial === table.one_se?.trial && <span class="badge">1se</span>}
                        {state(trial) && <span class={trial.status === 'failed' ? 'bad' : 'soft'}>{state(trial)}</span>}</td>
                    <td>{job && <Alone job={job} trial={trial} />}</td>
                </tr>)}</tbody>
            </table>
        </div>
    </Panel>;
}
