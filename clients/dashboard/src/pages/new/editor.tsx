// The draft as JSON. A plain text area, as high as its text, so that line numbers and the marks of
// faults stand beside their lines without any scrolling of their own. Tab leaves it, as anywhere.
import {useRef} from 'preact/hooks';
import {realFaults} from './check';
import {parseFault, places, setText, text} from './draft';
import {lineAndColumn, placeOf} from './json';

export interface LineFault {
    line: number;
    message: string;
}

export function lineFaults(): LineFault[] {
    const bad = parseFault.value;
    if (bad)
        return [{line: bad.line, message: `column ${bad.column}: ${bad.message}`}];
    return realFaults.value.map(fault => ({
        line: lineAndColumn(text.value, placeOf(places.value, fault.pointer ?? '')).line,
        message: fault.detail ?? '',
    }));
}

// A new line begins below the one before.
function indent(event: KeyboardEvent): void {
    const area = event.currentTarget as HTMLTextAreaElement;
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey || event.shiftKey || event.isComposing)
        return;
    const before = area.value.slice(0, area.selectionStart);
    const space = /(?:^|\n)([ \t]*)[^\n]*$/.exec(before)?.[1] ?? '';
    const deeper = /[[{]\s*$/.test(before) ? '  ' : '';
    event.preventDefault();
    if (!document.execCommand('insertText', false, `\n${space}${deeper}`))
        area.setRangeText(`\n${space}${deeper}`, area.selectionStart, area.selectionEnd, 'end');
}

const LONG = 2000; // lines; a longer text, with its data inside, scrolls by itself and has no numbers

export function Editor() {
    const area = useRef<HTMLTextAreaElement>(null);
    const lines = text.value.split('\n');
    const faults = lineFaults();
    const long = lines.length > LONG;
    const widest = lines.reduce((most, line) => Math.max(most, line.length), 20);
    const wrong = new Map<number, string[]>();
    for (const {line, message} of faults)
        wrong.set(line, [...(wrong.get(line) ?? []), message]);
    return <div class="editor">
        <div class="editor-scroll">
            {!long && <div class="gutter" aria-hidden="true">{lines.map((_, k) => <div key={k} class={wrong.has(k + 1) ? 'bad' : ''}>{k + 1}</div>)}</div>}
            <div class="editor-page">
                {!long && [...wrong].map(([line, said]) => <div key={line} class="editor-mark" aria-hidden="true"
                    style={{top: `calc(8px + ${line - 1} * var(--line-height))`}}>
                    <span style={{marginLeft: `${(lines[line - 1] ?? '').length + 2}ch`}}>{said.join('; ')}</span></div>)}
                <textarea ref={area} id="spec-json" aria-label="The spec as JSON" aria-describedby="spec-json-faults" spellcheck={false}
                    autocomplete="off" wrap="off" value={text.value} rows={long ? 40 : lines.length} class={long ? 'long' : ''} aria-invalid={faults.length > 0}
                    style={{minWidth: `${Math.min(widest, 2000) + 4}ch`}} onKeyDown={indent} onInput={event => setText(event.currentTarget.value)} />
            </div>
        </div>
        <ul class="line-faults" id="spec-json-faults" aria-live="polite">{faults.map(({line, message}, k) => <li key={k}>
            <button type="button" class="text-link" onClick={() => {
                const it = area.current!;
                const from = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
                it.focus();
                it.setSelectionRange(from, from + (lines[line - 1] ?? '').length);
            }}>line {line}</button> {message}</li>)}</ul>
    </div>;
}
