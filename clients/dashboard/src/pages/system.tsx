// What the server is doing and may do. Asked every five seconds, and not while nobody looks.
import {useEffect, useState} from 'preact/hooks';
import type {ComponentChildren} from 'preact';
import {get, locked, Problem, request} from '../api/client';
import {href} from '../router';
import {Facts, Fault, Loading, Panel} from '../ui/basics';
import {bytes, duration, whole} from '../ui/format';
import {complain} from '../ui/toast';
import './system.css';

const EVERY_MS = 5000;

interface System {
    version: string;
    numerics: string;
    cores: number;
    cores_used: number;
    memory_bytes: number;
    memory_reserved_bytes: number;
    cgroups: boolean;
    disk_bytes: {total: number; free: number; low: number};
    jobs: Record<string, number>;
    waiting: number;
    limits: Record<string, number | null>;
    degraded: string[];
    draining: boolean;
    uptime_s: number;
    subscribers: number;
}

interface Session {
    by: 'token' | 'cookie' | null;
}

// A number between 0 and a whole, as a bar with words.
function Meter({title, used, total, text}: {title: string; used: number; total: number; text: ComponentChildren}) {
    const share = total > 0 ? Math.min(1, used / total) : 0;
    return <div class="meter">
        <div><span>{title}</span><b>{text}</b></div>
        <progress max={100} value={Math.round(100 * share)} aria-label={`${title}: ${Math.round(100 * share)} %`} />
    </div>;
}

const DEGRADED: Record<string, string> = {
    disk: 'The disk is nearly full: no uploads and no new jobs are taken until there is room.',
    store: 'The store is damaged: what was stored may be incomplete. Look at the server\u2019s log.',
};

const LIMITS: [string, string, (value: number) => string][] = [
    ['queue', 'Jobs that may wait', whole],
    ['upload_bytes', 'The largest upload', bytes],
    ['json_bytes', 'The largest JSON body', bytes],
    ['event_bytes', 'The longest event', bytes],
    ['keep_jobs', 'Ended jobs that are kept', whole],
    ['keep_days', 'Days that ended jobs are kept', whole],
    ['keep_bytes', 'Bytes of models that are kept', bytes],
    ['keep_events', 'Events that are kept', whole],
];

function SignOut() {
    const [session, setSession] = useState<Session | null>(null);
    useEffect(() => void get<Session>('v1/session').then(setSession, () => {}), []);
    if (session?.by !== 'cookie')
        return null;
    return <button onClick={() => void request('DELETE', 'v1/session').then(() => (locked.value = true), complain)}>
        Sign out</button>;
}

export function SystemPage() {
    const [system, setSystem] = useState<System | null>(null);
    const [fault, setFault] = useState<unknown>(null);
    useEffect(() => {
        let gone = false, timer: ReturnType<typeof setTimeout> | null = null;
        const ask = async () => {
            timer = null;
            try {
                const told = await get<System>('v1/system');
                if (gone)
                    return;
                setSystem(told);
                setFault(null);
            } catch (why) {
                if (gone)
                    return;
                setFault(why);
                if (why instanceof Problem && why.status === 401)
                    return;
            }
            if (!document.hidden)
                timer = setTimeout(ask, EVERY_MS);
        };
        const look = () => {
            if (!document.hidden && timer === null)
                void ask();
        };
        document.addEventListener('visibilitychange', look);
        void ask();
        return () => {
            gone = true;
            document.removeEventListener('visibilitychange', look);
            if (timer)
                clearTimeout(timer);
        };
    }, []);
    return <>
        <div class="title-row"><h1>System</h1><SignOut /></div>
        {fault !== null && <Fault fault={fault} />}
        {system ? <Figures of={system} /> : fault === null && <Loading what="the system" />}
    </>;
}

function Figures({of}: {of: System}) {
    const used = of.disk_bytes.total - of.disk_bytes.free;
    return <>
        {of.degraded.map(each => <p key={each} class="note" role="alert"><b>Degraded: {each}.</b> {DEGRADED[each] ?? ''}</p>)}
        {of.draining && <p class="note" role="alert"><b>Draining:</b> the server is stopping and takes no new jobs.</p>}
        <div class="system-grid">
            <Panel title="Load">
                <Meter title="Cores" used={of.cores_used} total={of.cores} text={`${of.cores_used} of ${of.cores}`} />
                <Meter title="Memory promised to jobs" used={of.memory_reserved_bytes} total={of.memory_bytes}
                    text={`${bytes(of.memory_reserved_bytes)} of ${bytes(of.memory_bytes)}`} />
                <Meter title="Disk" used={used} total={of.disk_bytes.total}
                    text={`${bytes(of.disk_bytes.free)} free of ${bytes(of.disk_bytes.total)}`} />
                <p class="soft below">Below {bytes(of.disk_bytes.low)} of free disk the server takes nothing new.
                    {' '}{of.cgroups ? 'Each job has a memory limit of its own.' : 'Jobs have no memory cgroup of their own here.'}</p>
            </Panel>
            <Panel title="Jobs" aside={<span class="soft">{whole(of.waiting)} waiting</span>}>
                <Facts of={Object.entries(of.jobs).map(([status, count]) =>
                    [status, <a key={status} href={href(['jobs'], {status})}>{whole(count)}</a>])} />
            </Panel>
            <Panel title="Server">
                <Facts of={[
                    ['Version', of.version],
                    ['Arithmetic', <code key="n">{of.numerics}</code>],
                    ['Up for', duration(of.uptime_s)],
                    ['Readers of events', whole(of.subscribers)],
                ]} />
                <p class="soft below">Servers with the same arithmetic give the same bits. For Prometheus:{' '}
                    <a href="metrics">{new URL('metrics', document.baseURI).href}</a></p>
            </Panel>
            <Panel title="Limits">
                <dl class="limits">{LIMITS.filter(([name]) => name in of.limits).map(([name, words, format]) =>
                    <div key={name}><dt>{words}</dt>
                        <dd>{of.limits[name] === null ? 'no limit' : format(of.limits[name] as number)}</dd></div>)}</dl>
            </Panel>
        </div>
    </>;
}
