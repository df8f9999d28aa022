// Numbers, times and sizes as people read them.

// number(0.012345) is "0.01235": so many significant digits, no exponent between 1e-4 and 1e6.
export function number(value: unknown, digits = 4): string {
    if (typeof value !== 'number' || !Number.isFinite(value))
        return '–';
    if (value === 0)
        return '0';
    const size = Math.abs(value);
    if (size < 1e-4 || size >= 1e6)
        return value.toExponential(Math.max(0, digits - 2)).replace(/\.?0+e/, 'e').replace('e+', 'e');
    return (Number.isInteger(value) ? value : Number(value.toPrecision(digits)))
        .toLocaleString('en', {maximumFractionDigits: 20});
}

// A setting, exactly: 0.0001 stays "0.0001", 1e-7 "1e-7".
export function exact(value: unknown): string {
    return typeof value === 'number' ? String(value) : value === null ? 'none'
        : typeof value === 'string' ? value : JSON.stringify(value) ?? '–';
}

export function percent(share: unknown, digits = 2): string {
    return typeof share === 'number' && Number.isFinite(share)
        ? `${(100 * share).toFixed(digits)} %` : '–';
}

export function whole(value: unknown): string {
    return typeof value === 'number' && Number.isFinite(value)
        ? Math.round(value).toLocaleString('en') : '–';
}

// short(182000) is "182k".
export function short(value: unknown): string {
    if (typeof value !== 'number' || !Number.isFinite(value))
        return '–';
    const size = Math.abs(value);
    for (const [unit, name] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const)
        if (size >= unit)
            return `${Number((value / unit).toPrecision(3))}${name}`;
    return String(Number(value.toPrecision(3)));
}

export function bytes(value: unknown): string {
    if (typeof value !== 'number' || !Number.isFinite(value))
        return '–';
    for (const [unit, name] of [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'],
        [2 ** 10, 'KiB']] as const)
        if (value >= unit)
            return `${(value / unit).toFixed(value / unit < 10 ? 1 : 0)} ${name}`;
    return `${value} B`;
}

export function duration(seconds: unknown): string {
    if (typeof seconds !== 'number' || !Number.isFinite(seconds))
        return '–';
    if (seconds < 1)
        return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 60)
        return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60)
        return `${minutes} min ${Math.floor(seconds % 60)} s`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// "12 s ago", or the date when it is long ago.
export function ago(time: string | null | undefined, now = Date.now()): string {
    if (!time)
        return '–';
    const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
    if (seconds < 5)
        return 'just now';
    if (seconds < 60)
        return `${Math.floor(seconds)} s ago`;
    if (seconds < 3600)
        return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86_400)
        return `${Math.floor(seconds / 3600)} h ago`;
    return new Date(time).toLocaleDateString('en', {day: 'numeric', month: 'short', year: 'numeric'});
}

export function clock(time: string | null | undefined): string {
    return time ? new Date(time).toLocaleString('en', {dateStyle: 'medium', timeStyle: 'medium'}) : '–';
}

export function jobName(job: {id: string; name: string | null}): string {
    return job.name || `…${job.id.slice(-8)}`;
}
