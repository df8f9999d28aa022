// Datasets as the server tells them, and the list of all. The server sends no events about them:
// the list is read when a page asks or is looked at again, after every upload and deletion, and every
// two seconds while a dataset is being prepared.
import {signal} from '@preact/signals';
import {get, Problem, request} from '../../api/client';

export interface Column {
    name: string;
    type: string; // number, byte, category, boolean
    missing: number;
    distinct?: number | null;
    min?: number | null;
    max?: number | null;
    mean?: number | null;
}

export interface Target {
    name: string;
    kind: 'classes' | 'number';
    because: string;
    classes?: string[];
    classes_count?: number;
}

export interface Dataset {
    id: string;
    name: string;
    status: 'ready' | 'preparing' | 'incomplete';
    created_at: string;
    bytes: number;
    sha256: string | null;
    rows: number;
    format?: string;
    columns_count?: number;
    columns?: Column[]; // the first 1000; not in the list
    nonzeros?: number;
    target?: Target;
    missing_words?: string[];
}

export const datasets = signal<Dataset[] | null>(null);
export const listFault = signal<Problem | null>(null);

let timer: ReturnType<typeof setTimeout> | null = null;
let asked = 0;

export async function readList(): Promise<void> {
    const mine = ++asked;
    if (timer)
        clearTimeout(timer);
    timer = null;
    try {
        const {items} = await get<{items: Dataset[]}>('v1/datasets');
        if (mine !== asked)
            return;
        datasets.value = items;
        listFault.value = null;
        if (items.some(each => each.status === 'preparing'))
            timer = setTimeout(() => void readList(), 2000);
    } catch (fault) {
        if (mine !== asked)
            return;
        listFault.value = fault as Problem;
        if ((fault as Problem).status !== 401)
            timer = setTimeout(() => void readList(), 3000);
    }
}

// Other tabs and other people upload and delete, too.
document.addEventListener('visibilitychange', () => !document.hidden && datasets.peek() && void readList());

// The listed dataset of this id or name.
export function listed(idOrName: string | null | undefined): Dataset | undefined {
    return datasets.value?.find(each => each.id === idOrName) ?? datasets.value?.find(each => each.name === idOrName);
}

export const readDataset = (id: string, signal?: AbortSignal): Promise<Dataset> =>
    get<Dataset>(`v1/datasets/${encodeURIComponent(id)}`, {signal});

export async function deleteDataset(id: string): Promise<void> {
    await request<void>('DELETE', `v1/datasets/${encodeURIComponent(id)}`);
    datasets.value = datasets.value?.filter(each => each.id !== id) ?? null;
    void readList();
}
