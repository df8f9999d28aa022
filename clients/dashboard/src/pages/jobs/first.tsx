// What to do on a server that has no jobs yet, by mouse and by curl, with this server's own address.
import {useEffect, useState} from 'preact/hooks';
import {get} from '../../api/client';
import {copy} from '../../ui/basics';

interface Datasets {
    items: {name: string; status: string}[];
}

export function FirstSteps() {
    const [datasets, setDatasets] = useState<string[] | null>(null);
    useEffect(() => {
        get<Datasets>('v1/datasets').then(({items}) =>
            setDatasets(items.filter(each => each.status === 'ready').map(each => each.name)), () => setDatasets([]));
    }, []);
    if (!datasets)
        return null;
    const base = new URL('.', document.baseURI).href.replace(/\/$/, '');
    const name = datasets[0] ?? 'flowers';
    const lines = [
        ...(datasets.length ? [] : [`curl -T train.csv '${base}/v1/datasets/${name}'`]),
        `curl '${base}/v1/jobs?stream=true' -d '{"data": {"dataset": "${name}"}}'`,
    ].join('\n');
    return <section class="first panel" aria-label="First steps">
        <h2>No jobs yet</h2>
        <p>{datasets.length
            ? <>There is data: <strong>{name}</strong>{datasets.length > 1
                && <> and {datasets.length - 1} more</>}. Train on it.</>
            : 'Upload a table first: CSV, svmlight or NPY, the column to predict among its columns. Then train on it.'}</p>
        <div class="buttons">
            {!datasets.length && <a class="button primary" href="#/datasets">Upload a dataset</a>}
            <a class={`button ${datasets.length ? 'primary' : ''}`} href="#/new">New job</a>
        </div>
        <h3>Or from a terminal</h3>
        <pre tabIndex={0}>{lines}</pre>
        <div class="buttons"><button class="small" onClick={() => void copy(lines, 'Lines')}>Copy</button></div>
    </section>;
}
