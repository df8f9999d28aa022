// The spec's JSON Schema, which the server makes of what it reads: the form is drawn from it, so that
// a new key of the spec has its field at once.
import {signal} from '@preact/signals';
import {get, Problem} from '../../api/client';
import {isObject, type Json} from './json';

export interface Schema {
    title?: string;
    description?: string;
    type?: string | string[];
    const?: Json;
    enum?: Json[];
    oneOf?: Schema[];
    properties?: Record<string, Schema>;
    patternProperties?: Record<string, Schema>;
    additionalProperties?: boolean | Schema;
    required?: string[];
    items?: Schema;
    default?: Json;
    minimum?: number;
    maximum?: number;
    exclusiveMinimum?: number;
    exclusiveMaximum?: number;
    minItems?: number;
    maxItems?: number;
    maxLength?: number;
}

export const schema = signal<Schema | null>(null);
export const schemaFault = signal<Problem | null>(null);
let asked = false;

export async function readSchema(): Promise<void> {
    if (asked)
        return;
    asked = true;
    try {
        schema.value = await get<Schema>('v1/schema/job');
        schemaFault.value = null;
    } catch (fault) {
        schemaFault.value = fault as Problem;
        setTimeout(() => void readSchema(), 2500);
        asked = false;
    }
}

export const typesOf = (of: Schema): string[] => (of.type === undefined ? [] : Array.isArray(of.type) ? of.type : [of.type])
    .filter(each => each !== 'null');

export const isScalar = (of: Schema): boolean => of.const !== undefined || of.enum !== undefined
    || (typesOf(of).length > 0 && typesOf(of).every(each => each === 'number' || each === 'integer' || each === 'string'
        || each === 'boolean'));

// A section's own object, also where it may be null.
export function membersOf(of: Schema): Schema | null {
    if (of.properties)
        return of;
    return of.oneOf?.find(each => each.properties) ?? null;
}

// What an alternative of oneOf is called in a choice.
export function nameOf(of: Schema): string {
    if (of.title)
        return of.title;
    if (of.type === 'null')
        return 'none';
    if (of.type === 'array')
        return 'a list';
    const {properties} = of;
    if (properties) {
        const fixed = Object.values(properties).find(each => each.const !== undefined);
        if (fixed)
            return String(fixed.const);
        const needed = of.required ?? [];
        if (needed.length === 1 && properties[needed[0]!]?.title)
            return properties[needed[0]!]!.title!.toLowerCase();
        return needed.includes('min') && needed.includes('max') ? 'a range' : 'settings';
    }
    if (of.additionalProperties || of.patternProperties)
        return 'by name';
    return typesOf(of).includes('number') ? 'a number' : typesOf(of).includes('integer') ? 'a whole number' : typesOf(of).join(' or ');
}

// Could this value be meant for that alternative?
export function fits(of: Schema, value: Json): boolean {
    if (of.const !== undefined)
        return of.const === value;
    if (of.enum)
        return of.enum.includes(value);
    if (value === null)
        return of.type === 'null' || (Array.isArray(of.type) && of.type.includes('null'));
    const types = typesOf(of);
    if (Array.isArray(value))
        return types.includes('array');
    if (isObject(value)) {
        if (!types.includes('object'))
            return false;
        return Object.entries(of.properties ?? {}).every(([key, each]) => each.const === undefined || value[key] === each.const);
    }
    return typeof value === 'number' ? types.includes('number') || types.includes('integer') : types.includes(typeof value);
}

// A first value of a kind, for a choice that needs one.
export function firstOf(of: Schema): Json {
    if (of.const !== undefined)
        return of.const;
    if (of.default !== undefined && of.default !== null)
        return of.default;
    if (of.enum)
        return of.enum[0]!;
    if (of.oneOf)
        return firstOf(of.oneOf.find(each => each.type !== 'null') ?? of.oneOf[0]!);
    const types = typesOf(of);
    if (types.includes('object'))
        return Object.fromEntries((of.required ?? []).map(key => [key, firstOf(of.properties?.[key] ?? {})]));
    if (types.includes('array'))
        return Array.from({length: of.minItems ?? 0}, () => firstOf(of.items ?? {}));
    if (types.includes('boolean'))
        return true;
    if (types.includes('string'))
        return '';
    const low = of.minimum ?? of.exclusiveMinimum ?? 0, high = of.exclusiveMaximum ?? of.maximum ?? 1;
    return types.includes('integer') ? Math.max(low, 1) : high <= 1 ? .1 : Math.max(low, .1);
}

export function rangeOf(of: Schema): string {
    const low = of.minimum !== undefined ? `from ${of.minimum}` : of.exclusiveMinimum !== undefined
        ? `above ${of.exclusiveMinimum}` : '';
    const big = of.maximum ?? 0;
    const high = of.exclusiveMaximum !== undefined ? `below ${of.exclusiveMaximum}` : of.maximum !== undefined && big <= 1048576
        ? `to ${of.maximum.toLocaleString('en')}` : '';
    return [low, high].filter(Boolean).join(', ').replace(/^(from \S+), (to)/, '$1 $2');
}
