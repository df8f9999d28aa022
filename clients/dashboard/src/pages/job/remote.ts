// Something read from the server once a key is known: {value}, {fault}, or neither while it loads.
import {useEffect, useState} from 'preact/hooks';

export interface Remote<T> {
    value: T | null;
    fault: unknown;
    again: () => void;
}

export function useRemote<T>(key: string | null, read: (signal: AbortSignal) => Promise<T>): Remote<T> {
    const [got, setGot] = useState<{key: string | null; value: T | null; fault: unknown}>({key: null, value: null, fault: null});
    const [count, setCount] = useState(0);
    useEffect(() => {
        if (key === null)
            return undefined;
        const control = new AbortController();
        read(control.signal).then(
            value => !control.signal.aborted && setGot({key, value, fault: null}),
            (fault: unknown) => !control.signal.aborted && setGot({key, value: null, fault}));
        return () => control.abort();
    }, [key, count]);
    const mine = got.key === key;
    return {
        value: mine ? got.value : null,
        fault: mine ? got.fault : null,
        again: () => {
            setGot({key: null, value: null, fault: null});
            setCount(count + 1);
        },
    };
}
