// One job: whether its network learns or memorizes. The tab is in the link.
import {useEffect, useMemo, useState} from 'preact/hooks';
import {effect, useComputed} from '@preact/signals';
import './job.css';
import './job/try.css';
import {ended, type Job} from '../api/types';
import {amend, place} from '../router';
import {fetchJob, ids, jobOf} from '../store/jobs';
import {Empty, Fault, Loading, Tabs} from '../ui/basics';
import {jobName} from '../ui/format';
import {Epochs} from './job/epochs';
import {Evaluation} from './job/evaluation';
import {Events} from './job/events';
import {Head} from './job/head';
import {Layers} from './job/layers';
import {Model} from './job/model';
import {Overview} from './job/overview';
import {copyCurl, Spec} from './job/spec';
import {readEnd} from './job/text';
import {useRemote} from './job/remote';
import {Try} from './job/try';

const TABS = [
    {id: 'overview', title: 'Overview'},
    {id: 'layers', title: 'Layers'},
    {id: 'evaluation', title: 'Evaluation'},
    {id: 'try', title: 'Try it'},
    {id: 'spec', title: 'Spec'},
    {id: 'events', title: 'Events'},
    {id: 'model', title: 'Model'},
];

export function JobPage({id}: {id: string}) {
    const job = useComputed(() => {
        void ids.value; // it may come or go
        return jobOf(id)?.value ?? null;
    });
    const [state, setState] = useState<'asked' | 'known' | 'missing'>('asked');
    const [fault, setFault] = useState<unknown>(null);
    const [count, setCount] = useState(0);

    useEffect(() => {
        let over = false;
        fetchJob(id).then(got => {
            if (!over) {
                setState(got ? 'known' : 'missing');
                setFault(null);
            }
        }, (why: unknown) => !over && setFault(why));
        return () => void (over = true);
    }, [id, count]);

    const now = job.value;
    if (now)
        return <Known key={id} id={id} job={now} />;
    if (fault)
        return <div class="stack"><Fault fault={fault} /><div><button onClick={() => setCount(count + 1)}>Try again</button></div></div>;
    if (state === 'asked')
        return <Loading what="the job" />;
    return <Empty title={state === 'known' ? 'This job was deleted' : 'There is no such job'}>
        <p>{state === 'known' ? 'Its model, epochs and events went with it.' : <>No job of this server has the
            id <code>{id}</code>. It may have been deleted.</>}</p>
        <p><a class="button" href="#/jobs">All jobs</a></p></Empty>;
}

function Known({id, job}: {id: string; job: Job}) {
    const epochs = useMemo(() => new Epochs(id), [id]);
    // Each event sets the job's signal: so none passes unseen, even where several come in one go.
    useEffect(() => {
        const stop = effect(() => {
            void ids.value;
            const now = jobOf(id)?.value;
            if (now)
                epochs.take(now);
        });
        return () => {
            stop();
            epochs.close();
        };
    }, [epochs]);
    const over = ended(job.status);
    const end = useRemote(over ? `${id} ${job.status}` : null, () => readEnd(job));

    const name = jobName(job);
    useEffect(() => {
        document.title = `${name} · Ockham`;
    }, [name]);

    const asked = place.value.query.get('tab');
    const tab = TABS.find(each => each.id === asked)?.id ?? 'overview';
    return <div class="job-page">
        <Head job={job} onCurl={() => void copyCurl(job)} />
        <Tabs of={TABS} chosen={tab} label="About this job" onChoose={next => amend({tab: next === 'overview' ? null : next})} />
        <div role="tabpanel" id="job-panel" aria-labelledby={`tab-${tab}`}>
            {tab === 'overview' && <Overview job={job} epochs={epochs} end={end.value} />}
            {tab === 'layers' && <Layers job={job} />}
            {tab === 'evaluation' && <Evaluation job={job} />}
            {tab === 'try' && <Try job={job} />}
            {tab === 'spec' && <Spec job={job} />}
            {tab === 'events' && <Events job={job} />}
            {tab === 'model' && <Model job={job} />}
        </div>
    </div>;
}
