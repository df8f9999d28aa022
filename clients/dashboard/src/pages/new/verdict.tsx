// What the server says of the draft: what it will cost, what is odd, what is wrong; and the way to
// start it.
import {useRef} from 'preact/hooks';
import {bytes, exact, whole} from '../../ui/format';
import {answer, checking, noData, problem, realFaults, sendFault, sending} from './check';
import {parseFault} from './draft';
import {Wrong} from './frame';
import {isObject, type Json} from './json';

// The field of a pointer, or of what is around it, gets the keyboard; folds above it open.
export function show(pointer: string): void {
    for (let each = pointer; each !== ''; each = each.slice(0, each.lastIndexOf('/'))) {
        const box = document.getElementById(`f${each}-box`) ?? document.getElementById(`f${each}`);
        if (!box)
            continue;
        for (let fold = box.closest('details'); fold; fold = fold.parentElement?.closest('details') ?? null)
            fold.open = true;
        box.scrollIntoView({block: 'center'});
        (box.querySelector<HTMLElement>('input:not([type="range"]), select, textarea') ?? box.querySelector<HTMLElement>('button'))
            ?.focus({preventScroll: true});
        return;
    }
    document.getElementById('spec-json')?.focus();
}

const NAMES: Record<string, string> = {pytorch: 'PyTorch', keras: 'Keras', sklearn_MLP: 'scikit-learn MLP',
    sklearn_SGDClassifier: 'scikit-learn SGDClassifier', sklearn_SGDRegressor: 'scikit-learn SGDRegressor',
    sklearn_LogisticRegression: 'scikit-learn LogisticRegression', glmnet_logistic: 'glmnet, logistic',
    glmnet_gaussian: 'glmnet, gaussian', h2o: 'H2O'};

function Conversions({of}: {of: Record<string, Json>}) {
    const tools = Object.entries(of).filter(([, value]) => isObject(value));
    if (!tools.length)
        return null;
    return <details class="more-fold"><summary>This penalty in other tools</summary>
        <dl class="conversions">{tools.map(([tool, values]) => <div key={tool}><dt>{NAMES[tool] ?? tool.replace(/_/g, ' ')}</dt>
            <dd>{Object.entries(values as object).map(([key, value]) => <code key={key}>{key}={exact(typeof value === 'number'
                ? Number(value.toPrecision(6)) : value)}</code>)}</dd></div>)}</dl>
        {typeof of.note === 'string' && <p class="help">{of.note}</p>}
    </details>;
}

function Costs() {
    const said = answer.value;
    const ok = said && !problem.value && !parseFault.value;
    const facts: [string, string, string][] = [
        ['Parameters', whole(said?.parameters), ''], ['Memory', bytes(said?.memory_bytes), 'what the job may take'],
        ['Steps an epoch', whole(said?.steps_per_epoch), ''],
        ...(said?.trials !== undefined ? [['Strengths', whole(said.trials), 'trials of the search'],
            ['Trainings', whole(said.runs), 'folds of all strengths, and the refit']] as [string, string, string][] : []),
    ];
    return <dl class={`facts costs ${ok ? '' : 'costs-old'}`}>{facts.map(([name, value, help]) => <div key={name} title={help}>
        <dt>{name}</dt><dd>{said ? value : '–'}</dd></div>)}</dl>;
}

export function Verdict() {
    const said = answer.value, bad = parseFault.value, why = problem.value;
    const wrong = realFaults.value;
    const state = bad ? ['bad', `✕ the JSON has a fault in line ${bad.line}`]
        : why?.status === 0 ? ['warn', '… the server does not answer']
            : wrong.length ? ['bad', `✕ ${wrong.length} ${wrong.length === 1 ? 'fault' : 'faults'}`]
                : noData.value ? ['warn', '◐ choose a dataset']
                    : why ? ['bad', `✕ ${why.title}`]
                        : said ? ['good', '✓ ready to start'] : ['', '… checking'];
    return <>
        <p class="check-state"><span class={`badge ${state[0]}`} role="status">{state[1]}</span>
            {checking.value && <span class="soft checking" aria-hidden="true">checking</span>}</p>
        <Costs />
        {wrong.length > 0 && <ul class="check-faults">{wrong.map((fault, k) => <li key={k}>
            <button type="button" class="text-link" onClick={() => show(fault.pointer ?? '')}>{fault.pointer || 'the spec'}</button>
            {' '}<Wrong fault={{...fault, pointer: fault.pointer ?? ''}} pointer={fault.pointer ?? ''} /></li>)}</ul>}
        {why && !why.errors.length && why.status !== 0 && <p class="wrong">{why.detail || why.title}</p>}
        {!why && !bad && said?.warnings.map(each => <p key={each.code + each.message} class="note small-note">
            <span class="hidden">Warning: </span>{each.message}</p>)}
        {!why && !bad && said?.conversions && <Conversions of={said.conversions} />}
    </>;
}

export function Submit({onSubmit}: {onSubmit: () => void}) {
    const button = useRef<HTMLButtonElement>(null);
    const stopped = !!parseFault.value || noData.value || sending.value;
    const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
    return <div class="submit">
        <button ref={button} type="button" class="primary" disabled={stopped} onClick={onSubmit}>
            {sending.value ? 'Starting…' : answer.value?.trials !== undefined && !problem.value ? 'Start the search' : 'Start the job'}</button>
        <kbd class="soft" aria-hidden="true">{mac ? '⌘' : 'Ctrl'} Enter</kbd>
        {sendFault.value && sendFault.value.code !== 'invalid_spec' && <p class="wrong" role="alert">{sendFault.value.title}
            {sendFault.value.detail && `: ${sendFault.value.detail}`}{sendFault.value.status === 0
                && ' Starting it again makes no second job.'}</p>}
    </div>;
}
