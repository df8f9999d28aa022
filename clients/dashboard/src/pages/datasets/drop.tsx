// Files that are dropped anywhere on the page, or chosen. The mark over the page shows only while
// files are held over it.
import {useEffect, useRef, useState} from 'preact/hooks';
import type {ComponentChildren} from 'preact';

const hasFiles = (event: DragEvent): boolean => !!event.dataTransfer?.types.includes('Files');

// `take` gets the files; `what` says in the mark what becomes of them.
export function DropAnywhere({take, what}: {take: (files: File[]) => void; what: string}) {
    const [over, setOver] = useState(false);
    const latest = useRef(take);
    latest.current = take;
    useEffect(() => {
        let depth = 0; // each element below the pointer tells of itself
        const enter = (event: DragEvent) => {
            if (hasFiles(event))
                setOver(++depth > 0);
        };
        const leave = (event: DragEvent) => {
            if (hasFiles(event))
                setOver(--depth > 0);
        };
        const hold = (event: DragEvent) => hasFiles(event) && event.preventDefault();
        const drop = (event: DragEvent) => {
            if (!hasFiles(event))
                return;
            event.preventDefault();
            depth = 0;
            setOver(false);
            const files = [...(event.dataTransfer?.files ?? [])];
            if (files.length)
                latest.current(files);
        };
        addEventListener('dragenter', enter);
        addEventListener('dragleave', leave);
        addEventListener('dragover', hold);
        addEventListener('drop', drop);
        return () => {
            removeEventListener('dragenter', enter);
            removeEventListener('dragleave', leave);
            removeEventListener('dragover', hold);
            removeEventListener('drop', drop);
        };
    }, []);
    return over ? <div class="drop-mark" aria-hidden="true"><span>{what}</span></div> : null;
}

// A button that opens the browser's choice of files.
export function ChooseFiles(props: {take: (files: File[]) => void; children: ComponentChildren; class?: string;
    accept?: string; multiple?: boolean}) {
    const input = useRef<HTMLInputElement>(null);
    return <>
        <button type="button" class={props.class} onClick={() => input.current?.click()}>{props.children}</button>
        <input ref={input} type="file" class="hidden" tabIndex={-1} aria-hidden="true" accept={props.accept}
            multiple={props.multiple ?? true} onChange={event => {
                const files = [...(event.currentTarget.files ?? [])];
                event.currentTarget.value = '';
                if (files.length)
                    props.take(files);
            }} />
    </>;
}
