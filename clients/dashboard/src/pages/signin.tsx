// Sign in: turns the server's token into a cookie that no script can read.
import {useEffect, useRef, useState} from 'preact/hooks';
import {request, signedIn} from '../api/client';
import {amend, go, place} from '../router';
import {Fault} from '../ui/basics';

export function SignIn() {
    const field = useRef<HTMLInputElement>(null);
    const [fault, setFault] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);

    const enter = async (token: string) => {
        setBusy(true);
        try {
            await request('POST', 'v1/session', {body: {token}});
            setFault(null);
            signedIn();
            if (place.value.path[0] === 'signin')
                go(['jobs']);
        } catch (why) {
            setFault(why);
        }
        setBusy(false);
    };

    // A container prints a link with its token behind the #, where no server and no log sees it.
    useEffect(() => {
        const token = place.value.query.get('token');
        if (!token) {
            field.current?.focus();
            return;
        }
        amend({token: null});
        void enter(token);
    }, []);

    return <form class="signin panel" onSubmit={event => {
        event.preventDefault();
        void enter(field.current!.value.trim());
    }}>
        <h1>Sign in</h1>
        <p>This server asks for its token: the one in <code>OCKHAM_TOKEN</code>, or in the file of <code>--token-file</code>.
            The container prints it on its first start.</p>
        <label class="field">Token
            <input ref={field} type="password" name="token" autocomplete="current-password" required /></label>
        {fault !== null && <Fault fault={fault} />}
        <div class="buttons"><button class="primary" disabled={busy}>Sign in</button></div>
    </form>;
}
