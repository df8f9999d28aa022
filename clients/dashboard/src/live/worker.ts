// The SharedWorker: one EventStream for all tabs.
import {EventStream, type FromTab} from './stream';

interface Connect extends Event {
    ports: readonly MessagePort[];
}

// This file lies in assets/, beside it is v1/.
const stream = new EventStream(new URL('../v1/events', location.href).href);

addEventListener('connect', event => {
    const port = (event as Connect).ports[0]!;
    port.onmessage = ({data}: MessageEvent<FromTab>) => stream.hear(port, data);
});
