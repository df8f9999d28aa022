// A text field with a list to choose from (the ARIA combobox): what is typed looks for it, arrows and
// Enter choose, Escape closes. What is typed counts when the field is left or by Enter.
import {useEffect, useRef, useState} from 'preact/hooks';

export interface Option {
    value: string;
    note?: string;
}

const SHOWN = 60;

export function Combo(props: {id: string; value: string; options: Option[]; placeholder?: string; onChange: (value: string) => void;
    none?: string}) {
    const [open, setOpen] = useState(false);
    const [typed, setTyped] = useState<string | null>(null); // looks for something since it was opened
    const [at, setAt] = useState(-1);
    const list = useRef<HTMLUListElement>(null);
    const wanted = (typed ?? '').toLowerCase();
    const fitting = wanted ? props.options.filter(each => each.value.toLowerCase().includes(wanted)) : props.options;
    const shown = fitting.slice(0, SHOWN);
    const close = (commit = false) => {
        const only = wanted && fitting.length === 1 ? fitting[0]!.value : null;
        if (commit && typed !== null && typed.trim() !== props.value)
            props.onChange(only?.toLowerCase() === wanted ? only : typed.trim());
        setOpen(false);
        setTyped(null);
        setAt(-1);
    };
    const choose = (value: string) => {
        props.onChange(value);
        close();
    };
    useEffect(() => list.current?.children[at]?.scrollIntoView({block: 'nearest'}), [at]);
    const key = (event: KeyboardEvent) => {
        if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            setOpen(true);
            const step = event.key === 'ArrowDown' ? 1 : -1;
            setAt(shown.length ? (at + step + shown.length + (at < 0 && step < 0 ? 1 : 0)) % shown.length : -1);
        } else if (event.key === 'Enter' && open && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            if (shown[at])
                choose(shown[at].value);
            else if (wanted && fitting.length === 1)
                choose(fitting[0]!.value);
            else
                close(true);
        } else if (event.key === 'Escape' && open) {
            event.preventDefault();
            close();
        }
    };
    return <div class="combo">
        <input id={props.id} type="text" role="combobox" aria-expanded={open} aria-controls={`${props.id}-list`} aria-autocomplete="list"
            aria-activedescendant={open && at >= 0 ? `${props.id}-${at}` : undefined} autocomplete="off" spellcheck={false}
            value={typed ?? props.value} placeholder={props.placeholder} onClick={() => setOpen(true)} onBlur={() => close(true)}
            onKeyDown={key} onInput={event => {
                setTyped(event.currentTarget.value);
                setOpen(true);
                setAt(-1);
            }} />
        <ul class={`combo-list ${open ? '' : 'closed'}`} id={`${props.id}-list`} role="listbox" ref={list} aria-label="Choices">
            {open && shown.map((each, k) => <li key={each.value} id={`${props.id}-${k}`} role="option" aria-selected={k === at}
                class={each.value === props.value ? 'now' : ''} onPointerDown={event => event.preventDefault()}
                onClick={() => choose(each.value)}>{each.value}{each.note && <span class="soft">{each.note}</span>}</li>)}
            {open && !shown.length && <li role="option" aria-selected="false" aria-disabled="true" class="soft">{props.options.length
                ? 'None fits' : props.none ?? 'There is none yet'}</li>}
            {open && fitting.length > SHOWN && <li role="option" aria-selected="false" aria-disabled="true" class="soft">
                {(fitting.length - SHOWN).toLocaleString('en')} more: type to look for them</li>}
        </ul>
    </div>;
}
