// One dataset: what it is, what it would teach, and what each of its columns holds.
import {useEffect, useState} from 'preact/hooks';
import './datasets.css';
import {Problem} from '../api/client';
import {go, href} from '../router';
import {copy, Empty, Facts, Fault, Loading, Panel} from '../ui/basics';
import {ago, bytes, clock, percent, whole} from '../ui/format';
import {DatasetStatus, removeDataset} from './datasets';
import {Bars} from './datasets/bars';
import {Columns} from './datasets/columns';
import {ChooseFiles} from './datasets/drop';
import {readDataset, type Dataset} from './datasets/store';
import {useSummary, type Summary} from './datasets/summary';
import {take} from './datasets/upload';
import {Uploads} from './datasets/uploader';

const some = (names: string[], count: number): string =>
    names.slice(0, 8).join(', ') + (count > 8 ? `, and ${whole(count - 8)} more` : '');

// What a person should know before training on it.
export function remarks(summary: Summary): string[] {
    const said: string[] = [];
    const gaps = summary.columns.filter(each => each.missing > summary.rows / 2);
    if (summary.target?.missing)
        said.push(`The target is missing in ${whole(summary.target.missing)} rows: a job on it will be refused.`);
    if (summary.constant_count)
        said.push(`Constant, so without use: ${some(summary.constant_columns, summary.constant_count)}.`);
    if (gaps.length)
        said.push(`Missing in more than half of the rows: ${some(gaps.map(each => each.name), gaps.length)}.`);
    const texts = summary.columns.filter(each => each.type === 'category' && each.name !== summary.target?.name
        && (each.distinct ?? Infinity) > Math.max(100, summary.rows / 10));
    if (texts.length)
        said.push(`Free text, which becomes “(other)”: ${some(texts.map(each => each.name), texts.length)}.`);
    return said;
}

export function TargetFacts({summary}: {summary: Summary}) {
    const {target} = summary;
    if (!target)
        return <p>None: an array without labels. A job names the column to predict.</p>;
    return <>
        <p><code>{target.name}</code> is {target.kind === 'classes'
            ? `one of ${whole(target.classes_count)} classes` : 'a number to predict'} <span class="soft">({target.because})</span></p>
        {target.classes && <Bars of={target.classes} long={target.classes.length > 12} rest={(target.classes_count ?? 0)
            > target.classes.length ? {label: `${whole(target.classes_count! - target.classes.length)} others`, count: summary.rows
                - target.missing - target.classes.reduce((sum, each) => sum + each.count, 0)} : null} />}
    </>;
}

function Ready({dataset}: {dataset: Dataset}) {
    const {summary, fault} = useSummary(dataset.id);
    const said = summary ? remarks(summary) : [];
    const cells = dataset.rows * (dataset.columns_count ?? 0);
    return <>
        <div class="dataset-top">
            <Panel title="Facts"><Facts of={[
                ['Rows', whole(dataset.rows)], ['Columns', whole(dataset.columns_count)], ['Format', dataset.format ?? '–'],
                ['Size', bytes(dataset.bytes)], ['Created', <span title={clock(dataset.created_at)}>{ago(dataset.created_at)}</span>],
                ...(dataset.nonzeros === undefined ? [] : [['Not zero', `${whole(dataset.nonzeros)} (${
                    percent(dataset.nonzeros / Math.max(1, cells), 1)})`] as [string, string]]),
                ...(dataset.missing_words?.length ? [['Missing words', dataset.missing_words.join(', ')] as [string, string]] : []),
            ]} />
            <p class="ids"><button class="text-link mono" title="Copy the id" onClick={() => void copy(dataset.id, 'Id')}>{dataset.id}</button></p>
            {said.map(each => <p key={each} class="note">{each}</p>)}
            </Panel>
            <Panel title="Target">{summary ? <TargetFacts summary={summary} />
                : fault || !dataset.target ? null : <p><code>{dataset.target.name}</code> <span class="soft">({dataset.target.because})</span></p>}</Panel>
        </div>
        <Columns id={dataset.id} />
    </>;
}

export function DatasetPage({id}: {id: string}) {
    const [dataset, setDataset] = useState<Dataset | null>(null);
    const [fault, setFault] = useState<unknown>(null);
    const [turn, setTurn] = useState(0);
    useEffect(() => {
        const stop = new AbortController();
        let timer: ReturnType<typeof setTimeout>;
        readDataset(id, stop.signal).then(read => {
            setDataset(read);
            setFault(null);
            if (read.status !== 'ready')
                timer = setTimeout(() => setTurn(turn + 1), 1500);
        }, why => {
            if (stop.signal.aborted)
                return;
            setFault(why);
            if (why instanceof Problem && why.status === 0)
                timer = setTimeout(() => setTurn(turn + 1), 2500);
        });
        return () => {
            stop.abort();
            clearTimeout(timer);
        };
    }, [id, turn]);
    if (fault instanceof Problem && fault.status === 404)
        return <><h1>{id}</h1><Empty title="There is no such dataset"><p>It may have been deleted. <a href="#/datasets">All
            datasets</a></p></Empty></>;
    if (!dataset)
        return fault ? <Fault fault={fault} /> : <Loading what="the dataset" />;
    return <>
        <div class="title-row">
            <h1><a href="#/datasets" class="soft">Datasets</a> <span class="soft" aria-hidden="true">/</span> {dataset.name}</h1>
            <DatasetStatus status={dataset.status} />
            <div class="buttons">
                {dataset.status === 'ready' && <a class="button primary" href={href(['new'], {dataset: dataset.id})}>Train on it</a>}
                <a class="button" href={href(['jobs'], {q: dataset.name})}>Its jobs</a>
                <button class="danger" onClick={() => void removeDataset(dataset).then(gone => gone && go(['datasets']))}>Delete</button>
            </div>
        </div>
        {fault !== null && <Fault fault={fault} />}
        {dataset.status === 'ready' ? <Ready dataset={dataset} /> : dataset.status === 'preparing'
            ? <Empty title="The server reads the file"><p>This page shows what it holds as soon as it is through. Jobs may already name
                it: they wait.</p><progress aria-label="Preparing" /></Empty>
            : <><Empty title="One of two parts is here"><p>Rows and labels make a dataset together. Drop both files, or the one that is
                missing by <code>PUT /v1/datasets/{dataset.name}/x</code> or <code>/y</code>.</p>
            <ChooseFiles take={take} class="primary">Choose rows and labels</ChooseFiles></Empty><Uploads /></>}
    </>;
}
