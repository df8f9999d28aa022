// How wide an element is, whatever becomes of the window; 0 until it is known.
import {useEffect, useState} from 'preact/hooks';

export function useWidth(box: {current: HTMLElement | null}): number {
    const [width, setWidth] = useState(0);
    useEffect(() => {
        const look = () => setWidth(box.current?.clientWidth ?? 0);
        const watch = new ResizeObserver(look);
        watch.observe(box.current!);
        look();
        return () => watch.disconnect();
    }, []);
    return width;
}
