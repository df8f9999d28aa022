// A button that opens a menu: arrows move, Escape closes and leads back to the button. The list is
// fixed to the window, so that no scrolling box around the button cuts it off.
import type {ComponentChildren} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';
import './menu.css';

export interface MenuItem {
    title: string;
    href?: string; // a link
    onChoose?: () => void; // or an action
    danger?: boolean;
    disabled?: boolean;
    apart?: boolean; // with a line above
}

interface Spot {
    right: number;
    top?: number;
    bottom?: number;
}

export function Menu(props: {label: string; items: () => MenuItem[]; class?: string; tabIndex?: number;
    children: ComponentChildren}) {
    const button = useRef<HTMLButtonElement>(null);
    const list = useRef<HTMLDivElement>(null);
    const [spot, setSpot] = useState<Spot | null>(null);

    const close = (back: boolean) => {
        setSpot(null);
        if (back)
            button.current?.focus();
    };
    const open = () => {
        const box = button.current!.getBoundingClientRect();
        const right = Math.max(4, document.documentElement.clientWidth - box.right);
        setSpot(box.bottom > innerHeight * .6 ? {right, bottom: innerHeight - box.top + 4} : {right,
            top: box.bottom + 4});
    };
    const entries = () => [...list.current!.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)')];

    useEffect(() => {
        if (!spot)
            return undefined;
        entries()[0]?.focus();
        const away = (event: Event) => {
            if (!list.current?.contains(event.target as Node) && !button.current?.contains(event.target as Node))
                close(false);
        };
        addEventListener('pointerdown', away);
        addEventListener('scroll', away, true);
        addEventListener('resize', away);
        return () => {
            removeEventListener('pointerdown', away);
            removeEventListener('scroll', away, true);
            removeEventListener('resize', away);
        };
    }, [spot]);

    const keys = (event: KeyboardEvent) => {
        event.stopPropagation(); // the table below has arrows of its own
        const all = entries();
        const at = all.indexOf(document.activeElement as HTMLElement);
        const to = event.key === 'ArrowDown' ? (at + 1) % all.length
            : event.key === 'ArrowUp' ? (at - 1 + all.length) % all.length
                : event.key === 'Home' ? 0 : event.key === 'End' ? all.length - 1 : -1;
        if (event.key === 'Escape' || event.key === 'Tab')
            close(event.key === 'Escape');
        if (to >= 0)
            all[to]?.focus();
        if (to >= 0 || event.key === 'Escape')
            event.preventDefault();
    };

    return <span class="menu" onClick={event => event.stopPropagation()}
        onKeyDown={event => (spot ? keys(event) : event.key === 'Enter' || event.key === ' ' ? event.stopPropagation()
            : 0)}>
        <button ref={button} class={props.class ?? 'icon-button'} aria-haspopup="menu" aria-expanded={!!spot}
            tabIndex={props.tabIndex ?? 0}
            aria-label={props.label} title={props.label} onClick={() => (spot ? close(false) : open())}>
            {props.children}</button>
        {spot && <div ref={list} class="menu-list" role="menu" aria-label={props.label} style={{...spot}}>
            {props.items().map(item => {
                const kind = `${item.danger ? 'danger' : ''} ${item.apart ? 'apart' : ''}`;
                return item.href
                    ? <a key={item.title} role="menuitem" tabIndex={-1} class={kind} href={item.href}
                        onClick={() => close(false)}>{item.title}</a>
                    : <button key={item.title} role="menuitem" tabIndex={-1} class={kind}
                        disabled={item.disabled ?? false}
                        onClick={() => {
                            close(true);
                            item.onChoose?.();
                        }}>{item.title}</button>;
            })}
        </div>}
    </span>;
}
