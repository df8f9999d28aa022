// A small curve of a loss, its least point marked. Falls over several powers of ten are drawn on a
// log axis: else all but the first epochs would lie flat.
import {useEffect} from 'preact/hooks';
import {jobOf} from '../../store/jobs';
import {courseOf, readCourse, type Course} from './history';

const WIDTH = 96;
const HEIGHT = 26;
const SETTLE_MS = 150; // rows that only fly past ask for nothing

function shape({epochs, values}: Course): {line: string; dot: [number, number]} | null {
    if (!epochs.length)
        return null;
    let low = Infinity, high = -Infinity, at = 0;
    values.forEach((value, k) => {
        if (value < low) {
            low = value;
            at = k;
        }
        high = Math.max(high, value);
    });
    const scale = low > 0 && high > 20 * low ? Math.log : (value: number) => value;
    const [bottom, top] = [scale(low), scale(high)];
    const first = epochs[0]!, span = Math.max(1, epochs[epochs.length - 1]! - first);
    const x = (k: number) => 3 + (WIDTH - 6) * (epochs[k]! - first) / span;
    const y = (k: number) => (top > bottom ? HEIGHT - 3 - (HEIGHT - 6) * (scale(values[k]!) - bottom) / (top - bottom)
        : HEIGHT / 2);
    const line = values.map((_, k) => `${k ? 'L' : 'M'}${x(k).toFixed(1)} ${y(k).toFixed(1)}`).join('');
    return {line, dot: [x(at), y(at)]};
}

export function Spark({id}: {id: string}) {
    const course = courseOf(id).value;
    const begun = !!jobOf(id)?.value.latest;
    useEffect(() => {
        const gone = new AbortController();
        const timer = setTimeout(() => {
            const job = jobOf(id)?.peek();
            if (job)
                void readCourse(job, gone.signal);
        }, SETTLE_MS);
        return () => {
            clearTimeout(timer);
            gone.abort();
        };
    }, [id, begun]);
    const drawn = shape(course);
    return <svg class={`spark ${course.name.startsWith('train') ? 'of-train' : ''}`} width={WIDTH} height={HEIGHT}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {drawn && <>
            <path d={drawn.line} />
            <circle cx={drawn.dot[0]} cy={drawn.dot[1]} r="2.5" />
        </>}
    </svg>;
}
