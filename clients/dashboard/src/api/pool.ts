// A few requests at a time: a browser opens six connections to a host, and one of them hears the
// events. What waits is begun newest first, because what was asked for last is on the screen now.
export class Pool {
    private running = 0;
    private readonly waiting: (() => void)[] = [];

    constructor(private readonly most: number) {}

    async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
        if (this.running >= this.most)
            await new Promise<void>((begin, leave) => {
                this.waiting.push(begin);
                signal?.addEventListener('abort', () => {
                    const at = this.waiting.indexOf(begin);
                    if (at >= 0) {
                        this.waiting.splice(at, 1);
                        leave(new DOMException('No longer wanted', 'AbortError'));
                    }
                }, {once: true});
            });
        else
            this.running++; // one that waited takes over the place of one that ended
        try {
            return await task();
        } finally {
            const next = this.waiting.pop();
            if (next)
                next();
            else
                this.running--;
        }
    }
}

// For reading in the background.
export const readers = new Pool(4);
