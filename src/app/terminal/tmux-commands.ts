// Runs tmux.sh in a container, as the user who has the tmux session.
import { randomUUID } from 'node:crypto';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { guestScript } from '../../host/install/resources.ts';
import type { CapturedExec } from '../../incus/client.ts';
import { type ContainerName, tmuxSession } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { plainEnvironment } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';

const limitMs = 20_000;
/** Exit status of tmux.sh if that user has no such session. */
const noSession = 3;
/** Exit status of tmux.sh if it typed nothing because a dialog of the agent is open. */
const dialogUp = 4;
/** tmux sessions belong to the agent's user; in older versions and foreign images to root. */
export const tmuxUsers = [agentUser, { uid: 0, home: '/root', name: 'root' }] as const;

/** The output, and the user who has the session. */
export type TmuxResult = CapturedExec & { readonly uid: (typeof tmuxUsers)[number]['uid'] };

/** Throws `session-asks` if a dialog of the agent is open, and `session-not-found`. */
export async function runInTmux(
  app: AppContext,
  name: ContainerName,
  verb: string,
  text: string,
  raw = false,
): Promise<TmuxResult> {
  const found = await tryInTmux(app, name, verb, text, raw);
  if (found?.status === 0) return found;
  if (found?.status === dialogUp)
    throw new CoiError(
      'session-asks',
      `nothing was typed: the agent in ${name} is asking a question`,
      {
        hint: `Run \`coi tmux capture ${name}\` to see it; --key answers it, --raw types anyway.`,
      },
    );
  if (found)
    throw new CoiError('failed', `tmux in ${name} failed: ${found.stderr.toString('utf8').trim()}`);
  throw new CoiError('session-not-found', `there is no tmux session in ${name}`, {
    hint: `Run \`coi attach ${name}\` to open one.`,
  });
}

/** Tries the tmux servers of the users in turn; undefined if none has the session. */
export async function tryInTmux(
  app: AppContext,
  name: ContainerName,
  verb: string,
  text: string,
  raw = false,
): Promise<TmuxResult | undefined> {
  const incus = await app.incus();
  const session = tmuxSession(name);
  const id = randomUUID();
  for (const { uid, home, name: user } of tmuxUsers) {
    try {
      const result = await incus.execCaptured(
        name,
        {
          command: [
            ...['sh', '-c', guestScript('tmux.sh'), 'coi-tmux', verb, session, id],
            ...(raw ? ['raw'] : []),
          ],
          environment: plainEnvironment(home, user, 'xterm-256color'),
          cwd: '/',
          user: uid,
          group: uid,
          input: text,
        },
        { signal: app.signal, timeoutMs: limitMs },
      );
      if (result.status !== noSession) return { ...result, uid };
    } catch (error) {
      throw incusFailure(error, `running tmux in ${name} failed`);
    }
  }
  return undefined;
}
