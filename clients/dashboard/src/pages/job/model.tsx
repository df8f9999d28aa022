// The model that a job left: its files, its size, and how PyTorch reads it.
import {ended, type Job} from '../../api/types';
import {copy, Empty, Facts, Panel} from '../../ui/basics';
import {bytes, whole} from '../../ui/format';
import {url} from '../../api/client';
import {curl} from '../../ui/curl';
import {safeName} from '../../ui/save';

interface Part {
    type: string;
    units?: number;
    bias?: boolean;
    name?: string;
    rate?: number;
}

const ACTIVATIONS: Record<string, string> = {
    relu: 'nn.ReLU()', tanh: 'nn.Tanh()', sigmoid: 'nn.Sigmoid()', gelu: 'nn.GELU()',
    leaky_relu: 'nn.LeakyReLU(0.01)', identity: 'nn.Identity()',
};

export function torchLines(job: Job, file: string): string {
    const {model, data} = job.resolved as {model: {layers: Part[]}; data: {target_type: string}};
    let first = true;
    let width = '';
    const parts = model.layers.map((layer, k) => {
        if (layer.type === 'dropout')
            return `    nn.Dropout(${layer.rate}),`;
        if (layer.type === 'activation')
            return `    ${ACTIVATIONS[layer.name!] ?? `nn.Identity(),  # ${layer.name}`},`;
        const inputs = first ? `state["${k}.weight"].shape[1]` : width;
        first = false;
        width = String(layer.units);
        return `    nn.Linear(${inputs}, ${layer.units}${layer.bias === false ? ', bias=False' : ''}),`;
    });
    return [
        'import json',
        'from torch import nn',
        'from safetensors import safe_open',
        '',
        `with safe_open(${JSON.stringify(file)}, "pt") as model_file:`,
        '    metadata = model_file.metadata()',
        '    state = {name: model_file.get_tensor(name) for name in model_file.keys()}',
        'network = nn.Sequential(',
        ...parts,
        ')',
        'network.load_state_dict({name: value for name, value in state.items() if "scaler." not in name})',
        'network.eval()',
        '',
        '# x: rows of json.loads(metadata["features"]), encoded and as floats',
        'if "scaler.mean" in state:',
        '    x = (x - state["scaler.mean"]) / state["scaler.scale"]',
        '    clip = json.loads(metadata["scaler"]).get("clip")',
        '    if clip:',
        '        x = x.clamp(-clip, clip)',
        'out = network(x)',
        ...(data.target_type === 'classes'
            ? ['# logits, in the order of json.loads(metadata["classes"])']
            : ['if "target_scaler.mean" in state:', '    out = out * state["target_scaler.scale"] + state["target_scaler.mean"]']),
    ].join('\n');
}

const fileName = (job: Job): string => `${safeName(job.name ?? '') || job.id}.safetensors`;

export function Model({job}: {job: Job}) {
    if (!ended(job.status))
        return <Empty title="The model comes with the job’s end"><p>Stop the job to keep its best model so far.</p></Empty>;
    if (!job.model)
        return <Empty title="No model"><p>{job.status === 'succeeded' ? 'This job trained none.'
            : 'A job that failed or was cancelled keeps none.'}</p></Empty>;
    const {model} = job;
    const pruned = model.pruned as {parameters: number; bytes: number} | undefined;
    const path = `v1/jobs/${encodeURIComponent(job.id)}/model`;
    const one = !job.best || job.best.epoch === job.progress.epoch;
    const lines = torchLines(job, fileName(job));
    return <div class="stack">
        <Panel title="Download">
            <div class="buttons">
                <a class="button primary" href={url(path)} download>{one ? 'Model' : `Best model, epoch ${job.best!.epoch}`}</a>
                {!one && <a class="button" href={url(path, {which: 'last'})} download>Last model, epoch {job.progress.epoch}</a>}
                {pruned && <a class="button" href={url(path, {prune: true})} download>Pruned, {bytes(pruned.bytes)}</a>}
                <button onClick={() => void copy(curl(path).replace(/^curl /, 'curl -OJ '), 'The line is')}>Copy as curl</button>
            </div>
            <Facts of={[
                ['Format', 'safetensors'],
                ['Size', bytes(model.bytes)],
                ['Parameters', whole(model.parameters)],
                ...(pruned ? [['Pruned', `${whole(pruned.parameters)} parameters, ${bytes(pruned.bytes)}`] as [string, string]] : []),
            ]} />
            <p class="sha"><span class="soft">SHA-256</span> <code>{model.sha256}</code>{' '}
                <button class="small" onClick={() => void copy(model.sha256, 'SHA-256')}>Copy</button></p>
            <p class="chart-note">{pruned ? 'The pruned one lacks what nothing reads: units and inputs whose weights are exactly 0. '
                + 'It predicts the same.' : 'Nothing can be pruned: no unit and no input has only zeros ahead of it.'}</p>
        </Panel>
        <Panel title="In PyTorch" aside={<button class="small" onClick={() => void copy(lines, 'The lines are')}>Copy</button>}>
            <pre class="command" tabIndex={0} role="group" aria-label="PyTorch">{lines}</pre>
        </Panel>
    </div>;
}
