// What stands around each field of the form: its name, a way back to the default, help, and what the
// server says of it, with its suggestion at one click.
import type {ComponentChildren} from 'preact';
import type {Fault} from '../../api/client';
import {faultsOf} from './check';
import {get, rename, set} from './draft';
import {pathOf, pointerOf, type Json, type Path} from './json';
import {rangeOf, type Schema} from './schema';

export const idOf = (path: Path): string => `f${pointerOf(path)}`;

// Takes a suggestion: another key, or another value.
export function accept(fault: Fault): void {
    const path = pathOf(fault.pointer ?? '');
    if (fault.code === 'unknown_key')
        rename(path, fault.suggestion!);
    else
        set(path, fault.suggestion!);
}

export function Wrong({fault, pointer}: {fault: Fault; pointer?: string}) {
    return <span class="wrong">
        {fault.pointer && fault.pointer !== pointer && <code>{fault.pointer}</code>} {fault.detail}
        {fault.suggestion && <> <button type="button" class="small suggestion" onClick={() => accept(fault)}>
            did you mean “{fault.suggestion}”?</button></>}
    </span>;
}

export interface ControlProps {
    of: Schema;
    path: Path;
}

export function Frame(props: {of: Schema; path: Path; title?: string | undefined; help?: string | undefined; group?: boolean; wide?: boolean;
    below?: boolean; children: ComponentChildren}) {
    const {of, path} = props;
    const value: Json | undefined = get(path);
    const pointer = pointerOf(path), id = idOf(path);
    const wrong = faultsOf(pointer, props.below ?? true);
    const title = props.title ?? of.title ?? String(path[path.length - 1]);
    const range = rangeOf(of);
    const help = [props.help ?? of.description, range && `(${range})`].filter(Boolean).join(' ');
    return <div class={`field spec-field ${value === undefined ? '' : 'is-set'} ${wrong.length ? 'invalid' : ''} ${props.wide ? 'wide' : ''}`}
        id={`${id}-box`} {...(props.group ? {role: 'group', 'aria-labelledby': `${id}-name`} : {})}>
        <div class="field-head">
            {props.group ? <span class="field-name" id={`${id}-name`}>{title}</span>
                : <label class="field-name" id={`${id}-name`} for={id}>{title}</label>}
            {value !== undefined && <button type="button" class="reset" aria-label={`Reset ${title}`}
                title="Take it out: the default again" onClick={() => set(path, undefined)}>reset</button>}
        </div>
        {props.children}
        {wrong.length > 0 && <div id={`${id}-wrong`} role="alert">{wrong.map((fault, k) =>
            <Wrong key={k} fault={fault} pointer={pointer} />)}</div>}
        {help && <span class="help" id={`${id}-help`}>{help}</span>}
    </div>;
}
