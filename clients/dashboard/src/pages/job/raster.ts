// From strokes to the small grid that a model of images takes. The training images' own mean says
// how large and where their figures are: a drawing is scaled to that size and laid with its centre of
// mass on theirs, as MNIST was made. Each drawn pixel counts by the area that it covers.
export interface Figure {
    side: number; // of the box that figures fill, in cells
    y: number; // where their centre of mass lies
    x: number;
}

// Of the mean image: `ink` is [height × width], 0 where nothing ever is.
export function figureOf(ink: number[], height: number, width: number): Figure {
    const most = ink.reduce((a, b) => Math.max(a, b), 0);
    let total = 0;
    const mass = {y: 0, x: 0};
    const box = {top: height, bottom: -1, left: width, right: -1};
    ink.forEach((value, at) => {
        const [y, x] = [Math.floor(at / width), at % width];
        total += value;
        mass.y += value * (y + .5);
        mass.x += value * (x + .5);
        if (value > .15 * most) {
            box.top = Math.min(box.top, y);
            box.bottom = Math.max(box.bottom, y);
            box.left = Math.min(box.left, x);
            box.right = Math.max(box.right, x);
        }
    });
    if (!(total > 0))
        return {side: .7 * Math.min(height, width), y: height / 2, x: width / 2};
    return {
        side: Math.max(box.bottom - box.top + 1, box.right - box.left + 1),
        y: mass.y / total,
        x: mass.x / total,
    };
}

export interface Drawing {
    alpha: Uint8ClampedArray; // RGBA, of which the last counts
    width: number;
    height: number;
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, Math.min(low, high)), Math.max(low, high));

// The drawing on a grid of height × width cells, from 0 to 1. Without a figure it is only made
// smaller. null: nothing is drawn.
export function raster(drawing: Drawing, height: number, width: number, figure: Figure | null): Float32Array | null {
    const {alpha} = drawing;
    const box = {top: drawing.height, bottom: -1, left: drawing.width, right: -1};
    let total = 0;
    const mass = {y: 0, x: 0};
    for (let y = 0, at = 3; y < drawing.height; y++)
        for (let x = 0; x < drawing.width; x++, at += 4) {
            const value = alpha[at]!;
            if (!value)
                continue;
            total += value;
            mass.y += value * (y + .5);
            mass.x += value * (x + .5);
            box.top = Math.min(box.top, y);
            box.bottom = Math.max(box.bottom, y + 1);
            box.left = Math.min(box.left, x);
            box.right = Math.max(box.right, x + 1);
        }
    if (!total)
        return null;
    const plain = width / drawing.width;
    let [scale, dy, dx] = [plain, 0, 0];
    if (figure) {
        // A dot does not become a figure: no more than three times its size.
        scale = Math.min(figure.side / Math.max(box.bottom - box.top, box.right - box.left), 3 * plain);
        dy = clamp(figure.y - scale * mass.y / total, -scale * box.top, height - scale * box.bottom);
        dx = clamp(figure.x - scale * mass.x / total, -scale * box.left, width - scale * box.right);
    }
    const grid = new Float32Array(height * width);
    for (let y = box.top; y < box.bottom; y++)
        for (let x = box.left; x < box.right; x++) {
            const value = alpha[4 * (y * drawing.width + x) + 3]!;
            if (value)
                splat(grid, height, width, y * scale + dy, x * scale + dx, scale, value / 255);
        }
    return grid.map(value => Math.min(1, value));
}

// Adds a square of side `size` at (y, x), by the area that lies in each cell.
function splat(grid: Float32Array, height: number, width: number, y: number, x: number, size: number, value: number): void {
    for (let row = Math.max(0, Math.floor(y)); row < Math.min(height, y + size); row++) {
        const tall = Math.min(row + 1, y + size) - Math.max(row, y);
        for (let column = Math.max(0, Math.floor(x)); column < Math.min(width, x + size); column++) {
            const wide = Math.min(column + 1, x + size) - Math.max(column, x);
            grid[row * width + column]! += value * tall * wide;
        }
    }
}
