// Asks the job's model: by a form, by a drawing where rows are images, by rows of a file.
import {useState} from 'preact/hooks';
import './try.css';
import {ended, type Job} from '../../api/types';
import {amend, place} from '../../router';
import {copy, Empty, Fault, Loading, Panel} from '../../ui/basics';
import {whole} from '../../ui/format';
import {FORM_MOST, readInputs, type Inputs} from './columns';
import {curl} from '../../ui/curl';
import {Draw} from './draw';
import {RowForm} from './form';
import {Paste} from './paste';
import {AnswerView, usePredictor, type Which} from './predict';
import {useRemote} from './remote';

type Mode = 'draw' | 'form' | 'rows';
const TITLES: Record<Mode, string> = {draw: 'Draw', form: 'Form', rows: 'Rows of a file'};

function Box({job, inputs}: {job: Job; inputs: Inputs}) {
    const {columns, grid} = inputs;
    const modes: Mode[] = [];
    if (grid)
        modes.push('draw');
    if (columns.length <= FORM_MOST)
        modes.push('form');
    modes.push('rows');
    if (grid && !grid.certain && grid.height < 8)
        modes.reverse();
    const asked = place.value.query.get('input') as Mode;
    const mode = modes.includes(asked) ? asked : modes[0]!;
    const one = !job.best || job.best.epoch === job.progress.epoch;
    const which: Which = !one && place.value.query.get('which') === 'last' ? 'last' : 'best';
    const predictor = usePredictor(job, which);
    const [sent, setSent] = useState<{body: string; type: string} | null>(null);
    const ask = (body: unknown) => {
        setSent(body === null ? null : {body: JSON.stringify(body), type: 'application/json'});
        predictor.ask(body);
    };
    const path = `v1/jobs/${encodeURIComponent(job.id)}/predict${which === 'last' ? '?which=last' : ''}`;
    return <div class="try">
        <Panel title="A row" aside={<>
            <span class="segments" role="group" aria-label="How to give a row">{modes.map(each => <button key={each} class="small"
                aria-pressed={each === mode} onClick={() => {
                    amend({input: each});
                    ask(null);
                }}>{TITLES[each]}</button>)}</span>
            {!one && <label>Model <select value={which} onChange={event => amend({which: event.currentTarget.value === 'last'
                ? 'last' : null})}>
                <option value="best">best, epoch {job.best!.epoch}</option>
                <option value="last">last, epoch {job.progress.epoch}</option></select></label>}
            <button class="small" disabled={!sent} onClick={() => sent && void copy(curl(path, sent.body,
                sent.type === 'text/csv' ? ['Content-Type: text/csv'] : []), 'The line is')}>Copy as curl</button></>}>
            {!inputs.known && <p class="note">The dataset was deleted: names are known, types and ranges are not.</p>}
            {mode === 'draw' && <Draw grid={grid!} onValues={values => ask(values && {x: [values]})} />}
            {mode === 'form' && <RowForm columns={columns} fault={predictor.fault} onRow={row => ask({rows: [row]})} />}
            {mode === 'rows' && <Paste job={job} columns={columns} which={which} onBody={setSent} />}
            {mode === 'draw' && !grid!.certain && <p class="chart-note">{whole(columns.length)} columns of one range are taken for a
                square of {grid!.width} × {grid!.height}.</p>}
        </Panel>
        {mode !== 'rows' && <Panel title="The model says" class="says">
            <AnswerView of={predictor} hint={mode === 'draw' ? 'Draw, and the model says what it sees.' : 'Asking the model…'} />
        </Panel>}
    </div>;
}

export function Try({job}: {job: Job}) {
    const fit = !!job.model;
    const {value, fault, again} = useRemote(fit ? job.id : null, signal => readInputs(job, signal));
    if (!ended(job.status))
        return <Empty title="There is something to try when the job has ended"><p>Stop the job to try its best model so far.</p></Empty>;
    if (!fit)
        return <Empty title="No model to try"><p>{job.status === 'succeeded' ? 'This job trained none.'
            : 'A job that failed or was cancelled keeps none.'}</p></Empty>;
    if (fault)
        return <><Fault fault={fault} /><p><button onClick={again}>Try again</button></p></>;
    if (!value)
        return <Loading what="the columns" />;
    return <Box job={job} inputs={value} />;
}
