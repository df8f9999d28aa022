// Two searched strengths as a grid: the darker, the smaller the loss. One square is one trial.
import {number} from '../../ui/format';
import {Panel} from '../../ui/basics';
import {leaves} from '../../ui/touch';
import {strength, type Strength, type Table, type Trial} from './table';

export function HeatMap({table, names, hot, setHot}: {table: Table; names: [Strength, Strength]; hot: number | null;
    setHot: (trial: number | null) => void}) {
    const [across, down] = names;
    const values = (name: Strength) => [...new Set(table.trials.map(each => each[name] ?? 0))].sort((a, b) => a - b);
    const columns = values(across), rows = values(down).reverse();
    const losses = table.trials.map(each => each.mean_data_loss).filter((value): value is number => value !== null);
    const low = Math.log(Math.min(...losses)), high = Math.log(Math.max(...losses));
    const shade = (trial: Trial) => (trial.mean_data_loss === null ? 0
        : high > low ? 1 - (Math.log(trial.mean_data_loss) - low) / (high - low) : 1);
    const by = new Map(table.trials.map(each => [`${each[across] ?? 0} ${each[down] ?? 0}`, each]));
    const word = (trial: Trial) => [trial.trial === table.chosen?.trial && 'chosen', trial.trial === table.min?.trial && 'min',
        trial.trial === table.one_se?.trial && trial.trial !== table.chosen?.trial && '1se'].filter(Boolean).join(', ');
    return <Panel title={`${across} and ${down}`}>
        <div class="scroll" tabIndex={0} role="group" aria-label={`Mean validation data_loss by ${across} and ${down}`}>
            <table class="heat">
                <thead><tr><th scope="col">{down} \ {across}</th>
                    {columns.map(each => <th key={each} scope="col" class="number">{strength(each)}</th>)}</tr></thead>
                <tbody>{rows.map(row => <tr key={row}><th scope="row" class="number">{strength(row)}</th>
                    {columns.map(column => {
                        const trial = by.get(`${column} ${row}`);
                        return <td key={column} class={`number ${trial && trial.trial === hot ? 'hot' : ''}`}
                            onPointerEnter={() => setHot(trial?.trial ?? null)} onPointerLeave={event => leaves(event) && setHot(null)}
                            style={trial ? {'--share': `${Math.round(70 * shade(trial) ** 3)}%`} : {}}>
                            {trial ? trial.mean_data_loss === null ? '×' : number(trial.mean_data_loss) : ''}
                            {trial && word(trial) && <b> {word(trial)}</b>}
                        </td>;
                    })}</tr>)}</tbody>
            </table>
        </div>
    </Panel>;
}
