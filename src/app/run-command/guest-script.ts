// Runs a script of coi's (session/guest/) in a container, as one of its users.
import { guestScript } from '../../host/install/resources.ts';
import type { CapturedExec } from '../../incus/client.ts';
import type { ContainerName } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { plainEnvironment } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';

const limitMs = 20_000;

export interface GuestCall {
  readonly script: string;
  /** Its name in the list of processes. */
  readonly called: string;
  readonly words: readonly string[];
  readonly input: string;
  readonly user: { readonly uid: number; readonly home: string; readonly name: string };
  /** For the error: `running tmux`. */
  readonly doing: string;
}

/** The output and the status of the script. Throws if Incus fails, and after 20 s. */
export async function runGuestScript(
  app: AppContext,
  name: ContainerName,
  { script, called, words, input, user, doing }: GuestCall,
): Promise<CapturedExec> {
  const incus = await app.incus();
  const { uid, home, name: userName } = user;
  try {
    return await incus.execCaptured(
      name,
      {
        command: ['sh', '-c', guestScript(script), called, ...words],
        environment: plainEnvironment(home, userName, 'xterm-256color'),
        cwd: '/',
        user: uid,
        group: uid,
        input,
      },
      { signal: app.signal, timeoutMs: limitMs },
    );
  } catch (error) {
    throw incusFailure(error, `${doing} in ${name} failed`);
  }
}

/** In seconds since 1970, for a script that must not act later: a container that is paused runs it when it goes on. */
export function guestDeadline({ clock }: AppContext): string {
  return String(Math.floor((clock.now().getTime() + limitMs) / 1000));
}
