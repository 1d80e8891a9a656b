// Whether Incus answers, and if not, why, by the system's error code. Requested once per check.
import type { Incus } from '../incus/client.ts';
import type { Server } from '../incus/shapes.ts';
import { type CheckContext, type Finding, finding } from './check.ts';

export type ServerState =
  | { readonly kind: 'ready'; readonly incus: Incus; readonly server: Server }
  /** The socket exists, but this user may not open it. */
  | { readonly kind: 'forbidden' }
  /** There is no socket, no listener, or no answer. */
  | { readonly kind: 'silent'; readonly why: string };

/** Enough for a running daemon to answer; a starting one may be slower. */
const answerMs = 5_000;

export async function serverState(context: CheckContext): Promise<ServerState> {
  try {
    const incus = await context.incus();
    return {
      kind: 'ready',
      incus,
      server: await incus.server({ timeoutMs: answerMs, signal: context.signal }),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    const { errno, message } = error as { errno?: string; message?: string };
    if (errno === 'EACCES' || errno === 'EPERM') return { kind: 'forbidden' };
    return {
      kind: 'silent',
      why: errno === 'ENOENT' ? 'there is no socket' : (message ?? String(error)),
    };
  }
}

/** Runs a check that needs Incus, or returns a finding that it cannot; `plan`: what setup would do once Incus runs. */
export async function withServer(
  context: CheckContext,
  plan: string | undefined,
  ask: (incus: Incus, server: Server) => Promise<Finding>,
): Promise<Finding> {
  const state = await serverState(context);
  switch (state.kind) {
    case 'ready':
      return ask(state.incus, state.server);
    case 'forbidden':
      return finding(
        'warning',
        'not checked: this user has no access to Incus',
        {},
        { hint: 'See the check of the group incus-admin.' },
      );
    case 'silent':
      return finding('failed', 'Incus does not answer', {}, { plan });
  }
}
