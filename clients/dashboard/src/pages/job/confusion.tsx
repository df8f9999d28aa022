// The confusion matrix: a table of cells while that can be read, a drawn map with a cursor beyond.
// What is right and what is mistaken have their own colours; each cell tells itself by mouse and by
// arrow keys, in the line below.
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {amend, place} from '../../router';
import {Panel} from '../../ui/basics';
import {number, percent} from '../../ui/format';
import {colour, theme} from '../../ui/theme';
import {Scroll} from './scroll';

const READABLE = 32; // classes

interface Place {
    row: number;
    column: number;
}

const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
const count = (value: number): string => number(value, 4);

function words(names: string[], matrix: number[][], totals: number[], {row, column}: Place): string {
    const value = matrix[row]![column]!;
    const share = percent(totals[row] ? value / totals[row]! : 0, 1);
    return row === column ? `“${names[row]}”: ${count(value)} of ${count(totals[row]!)} are right (${share})`
        : `True “${names[row]}” taken for “${names[column]}”: ${count(value)} of ${count(totals[row]!)} (${share})`;
}

function moved(event: KeyboardEvent, at: Place, size: number): Place | null {
    const steps: Record<string, [number, number]> = {
        ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
        Home: [0, -size], End: [0, size], PageUp: [-10, 0], PageDown: [10, 0],
    };
    const step = steps[event.key];
    if (!step)
        return null;
    const within = (value: number) => Math.min(size - 1, Math.max(0, value));
    return {row: within(at.row + step[0]), column: within(at.column + step[1])};
}

// How strong a cell's colour is, in percent: small shares of mistakes have to be seen.
const strength = (share: number, right: boolean): number =>
    share <= 0 ? 0 : right ? 6 + 40 * share : 8 + 44 * Math.sqrt(share);

function Cells(props: {names: string[]; matrix: number[][]; totals: number[]; shares: boolean; at: Place; onMove: (at: Place) => void}) {
    const {names, matrix, totals, shares, at, onMove} = props;
    const table = useRef<HTMLTableElement>(null);
    const onKey = (event: KeyboardEvent) => {
        const next = moved(event, at, names.length);
        if (!next)
            return;
        event.preventDefault();
        onMove(next);
        table.current?.querySelector<HTMLElement>(`[data-at="${next.row},${next.column}"]`)?.focus();
    };
    return <div class="scroll"><table class="confusion" ref={table} onKeyDown={onKey}>
        <caption class="hidden">Confusion matrix: a row for each true class, a column for each predicted one</caption>
        <thead>
            <tr><td /><th scope="colgroup" colSpan={names.length} class="axis">Predicted</th></tr>
            <tr><th scope="col" class="axis">True</th>{names.map((name, k) =>
                <th scope="col" key={k} title={name} class={at.column === k ? 'on' : ''}><span class="cut">{name}</span></th>)}</tr>
        </thead>
        <tbody>{matrix.map((cells, row) => <tr key={row}>
            <th scope="row" title={names[row]} class={at.row === row ? 'on' : ''}><span class="cut">{names[row]}</span></th>
            {cells.map((value, column) => {
                const right = row === column;
                const share = totals[row] ? value / totals[row]! : 0;
                return <td key={column} data-at={`${row},${column}`} tabIndex={at.row === row && at.column === column ? 0 : -1}
                    class={right ? 'right' : value ? 'wrong' : 'none'} title={words(names, matrix, totals, {row, column})}
                    onMouseEnter={() => onMove({row, column})} onFocus={() => onMove({row, column})}
                    style={{background: `color-mix(in srgb, var(${right ? '--accent' : '--run-1'}) ${
                        strength(share, right).toFixed(0)}%, var(--surface))`}}>
                    {value === 0 ? (right ? '0' : '·') : shares ? (100 * share).toFixed(share < .0995 ? 1 : 0) : count(value)}</td>;
            })}
        </tr>)}</tbody>
    </table></div>;
}

const SIDE = 640;

function Map(props: {names: string[]; matrix: number[][]; totals: number[]; at: Place; onMove: (at: Place) => void}) {
    const {names, matrix, totals, at, onMove} = props;
    const canvas = useRef<HTMLCanvasElement>(null);
    const size = names.length;
    const look = theme.value;
    useEffect(() => {
        const context = canvas.current?.getContext('2d');
        if (!context)
            return;
        const cell = SIDE / size;
        const [right, wrong, ink] = [colour('--accent'), colour('--run-1'), colour('--ink')];
        context.globalAlpha = 1;
        context.fillStyle = colour('--surface-2');
        context.fillRect(0, 0, SIDE, SIDE);
        matrix.forEach((cells, row) => cells.forEach((value, column) => {
            if (!value)
                return;
            context.globalAlpha = Math.min(1, .25 + .75 * Math.sqrt(value / Math.max(1e-12, totals[row]!)));
            context.fillStyle = row === column ? right : wrong;
            context.fillRect(column * cell, row * cell, cell, cell);
        }));
        context.globalAlpha = 1;
        context.strokeStyle = ink;
        context.lineWidth = 2;
        context.strokeRect(at.column * cell - 1, at.row * cell - 1, cell + 2, cell + 2);
    }, [matrix, look, at]);
    const point = (event: MouseEvent): Place => {
        const box = canvas.current!.getBoundingClientRect();
        const within = (part: number) => Math.min(size - 1, Math.max(0, Math.floor(part * size)));
        return {row: within((event.clientY - box.top) / box.height), column: within((event.clientX - box.left) / box.width)};
    };
    return <div class="confusion-map">
        <p class="soft">Down: the true class. Across: the predicted one. Arrow keys move the frame.</p>
        <canvas ref={canvas} width={SIDE} height={SIDE} tabIndex={0} role="application"
            aria-roledescription="confusion matrix" aria-label={`Confusion matrix of ${size} classes. ${words(names, matrix, totals, at)}`}
            onMouseMove={event => onMove(point(event))} onKeyDown={event => {
                const next = moved(event, at, size);
                if (next) {
                    event.preventDefault();
                    onMove(next);
                }
            }} />
    </div>;
}

export function Confusion({names, matrix, csv}: {names: string[]; matrix: number[][]; csv: string}) {
    const [at, setAt] = useState<Place>({row: 0, column: 0});
    const totals = useMemo(() => matrix.map(sum), [matrix]);
    const shares = place.value.query.get('shares') === 'true';
    const many = names.length > READABLE;
    const move = (next: Place) => (next.row !== at.row || next.column !== at.column) && setAt(next);
    return <Panel title="Confusion matrix" aside={<>
        {!many && <label><input type="checkbox" checked={shares} onChange={() => amend({shares: !shares})} /> Shares of each row,
            in %</label>}
        <a class="button small" href={csv} download="confusion.csv">CSV</a></>}>
        {many ? <Map names={names} matrix={matrix} totals={totals} at={at} onMove={move} />
            : <Cells names={names} matrix={matrix} totals={totals} shares={shares} at={at} onMove={move} />}
        <p class="reading" aria-live={many ? 'polite' : 'off'}>{words(names, matrix, totals, at)}</p>
    </Panel>;
}

export interface Mistake {
    true: string;
    predicted: string;
    weight: number;
}

export function mistakesOf(names: string[], matrix: number[][], most: number): Mistake[] {
    return matrix.flatMap((cells, row) => cells.flatMap((weight, column) => (row !== column && weight
        ? [{true: names[row]!, predicted: names[column]!, weight}] : [])))
        .sort((a, b) => b.weight - a.weight).slice(0, most);
}

export function Mistakes({of, supports}: {of: Mistake[]; supports: Record<string, number>}) {
    return <Panel title="Most frequent mistakes">
        {of.length === 0 ? <p class="soft">None on these rows.</p> : <Scroll label="Mistakes" tall><table>
            <thead><tr><th scope="col">True</th><th scope="col">Taken for</th><th scope="col" class="number">Rows</th>
                <th scope="col" class="number">Of the class</th></tr></thead>
            <tbody>{of.map(each => <tr key={`${each.true}\n${each.predicted}`}>
                <td class="wrap">{each.true}</td><td class="wrap">{each.predicted}</td><td class="number">{count(each.weight)}</td>
                <td class="number">{supports[each.true] ? percent(each.weight / supports[each.true]!, 1) : '–'}</td></tr>)}</tbody>
        </table></Scroll>}
    </Panel>;
}
