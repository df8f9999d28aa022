// Whether somebody drags across a chart, or has fingers on it: until then no chart changes its range
// under the hand, whatever data come.
let dragging = false;
const fingers = new Set<number>();

const onChart = (event: Event): boolean => event.target instanceof Element && event.target.classList.contains('u-over');

addEventListener('mousedown', event => {
    dragging = onChart(event);
}, true);
addEventListener('pointerdown', event => {
    if (event.pointerType === 'touch' && onChart(event))
        fingers.add(event.pointerId);
}, true);
// The chart takes its new range first.
addEventListener('mouseup', () => setTimeout(() => (dragging = false)), true);
for (const type of ['pointerup', 'pointercancel'] as const)
    addEventListener(type, event => setTimeout(() => fingers.delete(event.pointerId)), true);

export const isDragging = (): boolean => dragging || fingers.size > 0;
