// Real data and real jobs, small enough for a test: handwritten digits and heart disease.
export async function uploadDigits(server) {
    await server.upload('digits', 'tests/data/digits.csv.gz', 'target=-1');
}

export async function uploadHeart(server) {
    await server.upload('heart', 'tests/data/heart_scale.csv', 'target=label');
}

export const digitsJob = (more = {}) => ({
    name: 'digits',
    data: {dataset: 'digits', validation: 0.2},
    model: {hidden: [32]},
    train: {epochs: 12, batch_size: 64},
    ...more,
});

export const heartJob = (more = {}) => ({
    name: 'heart',
    data: {dataset: 'heart'},
    model: {hidden: []},
    loss: 'binary_cross_entropy',
    regularization: {l2: 0.01, biases: false},
    train: {epochs: 30},
    ...more,
});

// The L1 search of docs/tuning.md, along a warm path.
export const heartSearch = (more = {}) => ({
    name: 'heart: how strong an L1?',
    data: {dataset: 'heart'},
    model: {hidden: []},
    loss: 'binary_cross_entropy',
    regularization: {l1_method: 'proximal', biases: false},
    optimizer: {lr: 1, momentum: 0.9},
    train: {epochs: 40, batch_size: 'all'},
    tune: {l1: {min: 'auto', max: 'auto', count: 12}, warm: true},
    ...more,
});

// Epochs enough to be looked at while it trains; whoever submits it cancels it.
export const longJob = (more = {}) => digitsJob({
    name: 'long',
    model: {hidden: [64]},
    train: {epochs: 1_000_000, batch_size: 32},
    ...more,
});
