// The frame around all pages: navigation, whether the server is heard, light or dark.
import {useEffect, useRef} from 'preact/hooks';
import type {ComponentType} from 'preact';
import {locked} from './api/client';
import {connected} from './live/live';
import {place} from './router';
import {load, loaded, loadFault} from './store/jobs';
import {Confirmation} from './ui/dialog';
import {choice, choose, type Choice} from './ui/theme';
import {Toasts} from './ui/toast';
import {ApiPage} from './pages/api';
import {ComparePage} from './pages/compare';
import {DatasetPage} from './pages/dataset';
import {DatasetsPage} from './pages/datasets';
import {JobPage} from './pages/job';
import {JobsPage} from './pages/jobs';
import {NewPage} from './pages/new';
import {SignIn} from './pages/signin';
import {SystemPage} from './pages/system';
import {SearchPage} from './pages/search';
import {TuningPage} from './pages/tuning';
import {Empty} from './ui/basics';

interface Page {
    name: string; // the first part of the path
    title: string;
    page: ComponentType;
    item?: ComponentType<{id: string}>; // with a second part
    shown: boolean; // in the navigation
}

const PAGES: Page[] = [
    {name: 'jobs', title: 'Jobs', page: JobsPage, item: JobPage, shown: true},
    {name: 'new', title: 'New job', page: NewPage, shown: true},
    {name: 'compare', title: 'Compare', page: ComparePage, shown: true},
    {name: 'tuning', title: 'Tuning', page: TuningPage, item: SearchPage, shown: true},
    {name: 'datasets', title: 'Datasets', page: DatasetsPage, item: DatasetPage, shown: true},
    {name: 'system', title: 'System', page: SystemPage, shown: true},
    {name: 'api', title: 'API', page: ApiPage, shown: true},
    {name: 'signin', title: 'Sign in', page: SignIn, shown: false},
];

function Missing() {
    return <Empty title="There is no such page"><p><a href="#/jobs">All jobs</a></p></Empty>;
}

function Connection() {
    const live = connected.value;
    if (loaded.value === 'no' && !loadFault.value)
        return null;
    return <span class={`connection ${live ? 'live' : 'lost'}`} role="status"
        title={live ? 'News come as they happen' : 'The server does not answer; trying again'}>
        <span aria-hidden="true">●</span> {live ? 'live' : 'reconnecting'}
    </span>;
}

const NEXT: Record<Choice, Choice> = {system: 'light', light: 'dark', dark: 'system'};
const LOOK: Record<Choice, string> = {system: '◐', light: '☀', dark: '☾'};

function Look() {
    const now = choice.value;
    return <button class="icon-button" title={`Colours: ${now}`} aria-label={`Colours: ${now}. Change`}
        onClick={() => choose(NEXT[now])}><span aria-hidden="true">{LOOK[now]}</span></button>;
}

export function App() {
    const {path} = place.value;
    const name = path[0] ?? 'jobs';
    const found = PAGES.find(each => each.name === name);
    const id = path[1];
    const main = useRef<HTMLElement>(null);
    const first = useRef(true);
    const asks = locked.value;

    const asked = useRef(asks);
    useEffect(() => {
        if (!asks)
            void load();
        if (asked.current && !asks) // the form went, and the keyboard with it
            main.current?.focus({preventScroll: true});
        asked.current = asks;
    }, [asks]);
    useEffect(() => {
        document.title = `${found?.title ?? 'Ockham'} · Ockham`;
        // After a step to another page the keyboard goes on in it.
        if (!first.current) {
            main.current?.focus({preventScroll: true});
            scrollTo(0, 0);
        }
        first.current = false;
    }, [name, id]);

    let content = <Missing />;
    if (asks)
        content = <SignIn />;
    else if (found?.item && id)
        content = <found.item key={id} id={id} />;
    else if (found && !id)
        content = <found.page />;
    return <>
        <a class="skip" href="#main" onClick={event => {
            event.preventDefault();
            main.current?.focus();
        }}>To the content</a>
        <header class="top">
            <a class="brand" href="#/jobs"><span aria-hidden="true" class="razor" />Ockham</a>
            <nav aria-label="Pages">{PAGES.filter(each => each.shown).map(each =>
                <a key={each.name} href={`#/${each.name}`} aria-current={each.name === name ? 'page' : undefined}>
                    {each.title}</a>)}</nav>
            <Connection />
            <Look />
        </header>
        <main ref={main} id="main" tabIndex={-1}>{content}</main>
        <Toasts />
        <Confirmation />
    </>;
}
