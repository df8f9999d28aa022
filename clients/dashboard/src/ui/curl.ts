// Command lines for a shell (sh, bash, zsh): every text is quoted so that the shell takes it as it is.
export const quote = (text: string): string =>
    /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

export const address = (path: string): string => new URL(path, document.baseURI).href.replace(/#.*$/, '');

// Linux takes no argument above 128 KiB: a long body stands in a here-document.
const LONGEST = 100_000;

export function curl(path: string, body?: string, headers: string[] = []): string {
    const parts = ['curl', quote(address(path)), ...headers.map(each => `-H ${quote(each)}`)];
    if (body === undefined)
        return parts.join(' ');
    // With -d, a text that begins with @ would name a file.
    if (body.length <= LONGEST)
        return [...parts, `${body.startsWith('@') ? '--data-raw' : '-d'} ${quote(body)}`].join(' ');
    let mark = 'OCKHAM';
    while (body.includes(mark))
        mark += '_';
    return [...parts, `--data-binary @- <<'${mark}'`].join(' ') + `\n${body}\n${mark}`;
}

// member('{"spec": {"seed": 1e4}}', "spec") is '{"seed": 1e4}': the text as the server has it, for
// numbers and orders that a parser would change.
export function member(text: string, name: string): string | null {
    let depth = 0;
    let begin = -1;
    for (let at = 0; at < text.length; at++) {
        const sign = text[at]!;
        if (sign === '"') {
            const from = at;
            for (at++; at < text.length && text[at] !== '"'; at++)
                if (text[at] === '\\')
                    at++;
            if (depth === 1 && begin < 0 && text.slice(from, at + 1) === JSON.stringify(name)) {
                const colon = /^\s*:\s*/.exec(text.slice(at + 1, at + 20));
                if (colon) {
                    begin = at + 1 + colon[0].length;
                    at += colon[0].length;
                }
            }
        } else if (sign === '{' || sign === '[') {
            depth++;
        } else if (sign === '}' || sign === ']' || (sign === ',' && depth === 1)) {
            if (begin >= 0 && depth === 1)
                return text.slice(begin, at).trim();
            if (sign !== ',')
                depth--;
        }
    }
    return null;
}
