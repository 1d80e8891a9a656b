// Creates the context of setup and health checks: what they may query and change.
import { coidUnit } from '../../daemon/unit.ts';
import { createInstaller, currentProgram } from '../../host/install/install.ts';
import { openSetupHost } from '../../host/install/setup-host.ts';
import type { CheckContext } from '../../setup/check.ts';
import type { AppContext } from '../context.ts';

const installPaths = {
  libDir: '/usr/local/lib/coi',
  linkPath: '/usr/local/bin/coi',
  manPath: '/usr/local/share/man/man1/coi.1',
};
const coidAnswerMs = 3_000;
/** The image that sessions start from unless a profile or the command line names another. */
const imageAlias = 'coi-default';

export function checkContext(app: AppContext): CheckContext {
  const program = currentProgram();
  return {
    host: openSetupHost(),
    incus: () => app.incus(),
    coidStatus: async () =>
      (await app.coid()).status({ timeoutMs: coidAnswerMs, signal: app.signal }),
    installer: program && createInstaller(program, installPaths),
    caller: caller(app),
    version: app.version,
    coidUnit,
    imageAlias,
    signal: app.signal,
  };
}

/** Under sudo, the user who called it: root itself needs no group. */
function caller({ user, env }: AppContext): CheckContext['caller'] {
  const [name, uid] = [env['SUDO_USER'], Number(env['SUDO_UID'] ?? Number.NaN)];
  return user.uid === 0 && name && Number.isInteger(uid)
    ? { name, uid }
    : { name: user.name, uid: user.uid };
}
