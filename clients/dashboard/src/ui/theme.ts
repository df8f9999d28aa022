// Light or dark: as the system has it, until somebody chooses. Charts draw on canvases, which know
// nothing of CSS: they read the colours by `colour` and draw anew when `theme` changes.
import {effect, signal} from '@preact/signals';

export type Choice = 'system' | 'light' | 'dark';
const KEY = 'ockham.theme';

function stored(): Choice {
    try {
        const text = localStorage.getItem(KEY);
        return text === 'light' || text === 'dark' ? text : 'system';
    } catch {
        return 'system';
    }
}

const wish = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(wish.matches);
wish.addEventListener('change', () => (systemIsDark.value = wish.matches));

export const choice = signal<Choice>(stored());
export const theme = signal<'light' | 'dark'>('light');

effect(() => {
    const dark = choice.value === 'dark' || (choice.value === 'system' && systemIsDark.value);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    theme.value = dark ? 'dark' : 'light';
});

export function choose(next: Choice): void {
    choice.value = next;
    try {
        localStorage.setItem(KEY, next);
    } catch {
        // A browser that keeps nothing forgets it with the tab.
    }
}

// colour("--train"): what the style sheet has for it now.
export function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || '#888';
}

// The k-th of the colours that tell runs apart.
export const runColour = (k: number): string => `--run-${k % 8}`;
