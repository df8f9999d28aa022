// Whether somebody drags across a chart: until then no chart changes its range under the hand, whatever
// data come.
let dragging = false;

addEventListener('mousedown', event => {
    dragging = event.target instanceof Element && event.target.classList.contains('u-over');
}, true);
// The chart takes its new range first.
addEventListener('mouseup', () => setTimeout(() => (dragging = false)), true);

export const isDragging = (): boolean => dragging;
