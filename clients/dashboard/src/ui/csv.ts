// A table as CSV (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe.
type Cell = string | number | boolean | null | undefined;

export const field = (text: string): string =>
    (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function cell(value: Cell): string {
    if (value === null || value === undefined)
        return '';
    if (typeof value !== 'string')
        return String(value);
    return field(/^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value);
}

export const csv = (rows: Cell[][]): string => rows.map(row => row.map(cell).join(',')).join('\r\n') + '\r\n';
