// What tmux.sh does in the tmux session of a container, as whoever has that session.
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
/** What tmux.sh ends with when that user has no such session. */
const noSession = 3;
/** And where it typed nothing, since an agent's dialog is up. */
const dialogUp = 4;
/** The agent's sessions are its user's; older versions and foreign images have root's. */
export const users = [agentUser, { uid: 0, home: '/root', name: 'root' }] as const;

/** What was said, and whose session it is. */
export type Said = CapturedExec & { readonly uid: (typeof users)[number]['uid'] };

/** Throws `session-asks` where an agent's dialog is up, and `session-not-found`. */
export async function inSession(
  app: AppContext,
  name: ContainerName,
  verb: string,
  text: string,
  raw = false,
): Promise<Said> {
  const found = await tried(app, name, verb, text, raw);
  if (found?.status === 0) return found;
  if (found?.status === dialogUp)
    throw new CoiError('session-asks', `nothing was typed: the agent in ${name} asks something`, {
      hint: `\`coi tmux capture ${name}\` shows it, --key answers it, --raw types all the same.`,
    });
  if (found)
    throw new CoiError('failed', `tmux in ${name} failed: ${found.stderr.toString('utf8').trim()}`);
  throw new CoiError('session-not-found', `there is no tmux session in ${name}`, {
    hint: `\`coi attach ${name}\` opens one.`,
  });
}

/** Asks the users' servers one after the other; undefined if none has the session. */
export async function tried(
  app: AppContext,
  name: ContainerName,
  verb: string,
  text: string,
  raw = false,
): Promise<Said | undefined> {
  const incus = await app.incus();
  const session = tmuxSession(name);
  const id = randomUUID();
  for (const { uid, home, name: user } of users) {
    try {
      const said = await incus.execCaptured(
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
      if (said.status !== noSession) return { ...said, uid };
    } catch (error) {
      throw incusFailure(error, `asking tmux in ${name} failed`);
    }
  }
  return undefined;
}
