// The first tab: the report (of jobs that have ended), the key figures, the curves.
import type {Job} from '../../api/types';
import {ended} from '../../api/types';
import {Empty, Fault, Loading} from '../../ui/basics';
import {Charts} from './charts';
import type {Epochs} from './epochs';
import {KeyFigures, ReportPanel} from './report';
import {isClasses, isSearch, type End} from './text';

function NoEpochs({job}: {job: Job}) {
    if (job.status === 'queued')
        return <Empty title="Queued"><p>Curves begin with the first epoch.</p></Empty>;
    if (!ended(job.status))
        return <Empty title={isSearch(job) ? 'The search is under way' : 'No epoch yet'}>
            <p>{isSearch(job) ? <>The curves are those of the refit, which comes last. <a href={`#/tuning/${job.id}`}>See
                the strengths tried so far</a></> : 'Curves begin with the first epoch.'}</p></Empty>;
    return <Empty title="No epoch was trained">
        <p>{job.status === 'failed' ? 'It failed before its first epoch was over; the reason stands above.'
            : job.status === 'cancelled' ? 'It was cancelled before its first epoch was over.'
            : isSearch(job) ? <>This search trained no model at its end. <a href={`#/tuning/${job.id}`}>See its table</a></>
            : 'It ended before its first epoch was over.'}</p></Empty>;
}

export function Overview({job, epochs, end}: {job: Job; epochs: Epochs; end: End | null}) {
    const columns = epochs.shown.value;
    const fault = epochs.fault.value;
    const some = columns && (columns.epoch?.length ?? 0) > 0;
    return <div class="stack">
        {end?.report && <ReportPanel report={end.report} lambda={end.lambda_hat} classes={isClasses(job)} />}
        <KeyFigures job={job} columns={columns} end={end} />
        {fault !== null && <><Fault fault={fault} /><div><button onClick={() => epochs.retry()}>Try again</button></div></>}
        {some ? <Charts job={job} epochs={epochs} columns={columns} />
            : columns ? <NoEpochs job={job} />
            : fault === null && <Loading what="the curves" />}
    </div>;
}
