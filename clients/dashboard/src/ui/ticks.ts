// What stands at an axis' ticks: shown as the chart shows its values, with more digits where two of
// them would read the same.
import {number} from './format';

const DIGITS_MOST = 12;

export function tickLabels(values: (number | null)[], show: (value: number) => string): string[] {
    const told = (one: (value: number) => string) => values.map(value => (value === null ? '' : one(value)));
    const alike = (labels: string[]) => {
        const some = labels.filter(Boolean);
        return new Set(some).size < some.length;
    };
    let labels = told(show);
    for (let digits = 5; digits <= DIGITS_MOST && alike(labels); digits++)
        labels = told(value => number(value, digits));
    return labels;
}
