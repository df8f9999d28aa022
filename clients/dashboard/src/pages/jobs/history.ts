// The courses of losses for the small curves: read from the server once for a row that stays in
// sight, prolonged by the events that come, and kept. A course has at most MOST points: beyond, every
// other one goes.
import {signal, type Signal} from '@preact/signals';
import {get} from '../../api/client';
import {readers} from '../../api/pool';
import type {Job, Metrics} from '../../api/types';
import {listen} from '../../live/live';
import {lossName} from './figures';

export interface Course {
    name: string; // of the loss
    epochs: number[];
    values: number[];
}

const MOST = 120;
const KEPT = 3000; // courses
const NONE: Course = {name: '', epochs: [], values: []};

interface Kept {
    course: Signal<Course>;
    state: 'no' | 'asked' | 'read';
    early: [number, number][]; // told while the answer was under way
}

const courses = new Map<string, Kept>();

function keptOf(id: string): Kept {
    let kept = courses.get(id);
    if (!kept) {
        kept = {course: signal(NONE), state: 'no', early: []};
        courses.set(id, kept);
        if (courses.size > KEPT)
            courses.delete(courses.keys().next().value!);
    }
    return kept;
}

export const courseOf = (id: string): Signal<Course> => keptOf(id).course;

function prolong(course: Course, epoch: number, value: number): Course {
    const last = course.epochs[course.epochs.length - 1] ?? 0;
    if (epoch <= last)
        return course;
    let epochs = [...course.epochs, epoch];
    let values = [...course.values, value];
    if (epochs.length > MOST) {
        const stays = (_: number, k: number) => k % 2 === 0 || k === epochs.length - 1;
        values = values.filter(stays);
        epochs = epochs.filter(stays);
    }
    return {...course, epochs, values};
}

// Reads a job's course unless it is there. Abort it when the row is gone.
export async function readCourse(job: Job, gone: AbortSignal): Promise<void> {
    const kept = keptOf(job.id);
    if (kept.state !== 'no' || !job.latest)
        return;
    kept.state = 'asked';
    const name = lossName(job);
    try {
        const answer = await readers.run(() => get<Metrics>(`v1/jobs/${encodeURIComponent(job.id)}/metrics`,
            {query: {names: name, max_points: 60}, signal: gone}), gone);
        let course: Course = {name, epochs: [], values: []};
        answer.epoch!.forEach((epoch, k) => {
            const value = answer[name]?.[k];
            if (epoch !== null && typeof value === 'number') {
                course.epochs.push(epoch);
                course.values.push(value);
            }
        });
        for (const [epoch, value] of kept.early)
            course = prolong(course, epoch, value);
        kept.state = 'read';
        kept.course.value = course;
    } catch {
        kept.state = 'no'; // the row asks again when it comes back
    }
    kept.early = [];
}

listen(event => {
    if (event.type === 'deleted')
        courses.delete(event.job);
    if (event.type !== 'epoch')
        return;
    const kept = courses.get(event.job);
    const value = (event.validation ?? event.train).data_loss;
    if (!kept || typeof value !== 'number')
        return;
    if (kept.state === 'read')
        kept.course.value = prolong(kept.course.peek(), event.epoch, value);
    else if (kept.state === 'asked')
        kept.early.push([event.epoch, value]);
});
