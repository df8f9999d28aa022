// Files that the page itself makes.
export function save(name: string, parts: string[], type: string): void {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(parts, {type}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// "My job: 1/2" is "My-job-1-2"; "" where nothing is left.
export const safeName = (name: string): string =>
    name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '').slice(0, 100);
