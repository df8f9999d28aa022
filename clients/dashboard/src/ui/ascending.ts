// Places in ascending numbers.

// The first index whose x is not below.
export function indexAt(xs: number[], x: number): number {
    let low = 0, high = xs.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (xs[middle]! < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The index of x or of its nearest neighbour; -1: there is none.
export function nearest(xs: number[], x: number): number {
    const above = Math.min(indexAt(xs, x), xs.length - 1);
    return above > 0 && x - xs[above - 1]! < xs[above]! - x ? above - 1 : above;
}
