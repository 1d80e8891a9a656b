// Hands the checks of setup and health what they may ask, and what they may touch.
import { coidUnit } from '../../daemon/unit.ts';
import { installerOf, thisProgram } from '../../host/install/install.ts';
import { thisMachine } from '../../host/install/setup-host.ts';
import type { Ground } from '../../setup/check.ts';
import type { AppContext } from '../context.ts';

const places = {
  libDir: '/usr/local/lib/coi',
  linkPath: '/usr/local/bin/coi',
  manPath: '/usr/local/share/man/man1/coi.1',
};
const coidAnswerMs = 3_000;
/** The image that sessions start from unless a profile or the command line names another. */
const imageAlias = 'coi-default';

export function groundOf(app: AppContext): Ground {
  const program = thisProgram();
  return {
    machine: thisMachine(),
    incus: () => app.incus(),
    coidStatus: async () =>
      (await app.coid()).status({ timeoutMs: coidAnswerMs, signal: app.signal }),
    installer: program && installerOf(program, places),
    caller: caller(app),
    version: app.version,
    coidUnit,
    imageAlias,
    signal: app.signal,
  };
}

/** Under sudo, the user that called it: root itself needs no group. */
function caller({ user, env }: AppContext): Ground['caller'] {
  const [name, uid] = [env['SUDO_USER'], Number(env['SUDO_UID'] ?? Number.NaN)];
  return user.uid === 0 && name && Number.isInteger(uid)
    ? { name, uid }
    : { name: user.name, uid: user.uid };
}
