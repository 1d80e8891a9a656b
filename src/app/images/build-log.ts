// What a build prints goes to ~/.coi/logs.
import { createWriteStream, mkdirSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { runnerIn } from '../../host/install/resources.ts';
import { versionAlias } from '../../image/versions.ts';
import type { Incus } from '../../incus/client.ts';
import { started } from '../../session/lifecycle/secret-handover.ts';
import { handOver } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

/** Runs a command of a build as root, both outputs into a file; returns how it ended and where the file is. */
export async function outputTo(
  app: AppContext,
  incus: Incus,
  container: string,
  alias: string,
  command: readonly string[],
): Promise<{ status: number; path: string }> {
  const logs = `${app.user.home}/.coi/logs`;
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const name = versionAlias(alias.replaceAll('/', '-'), app.clock.now());
  const path = `${logs}/build-${name}.log`;
  const file = createWriteStream(path, { mode: 0o600, flags: 'a' });
  try {
    const exec = await started(
      (signal) =>
        incus.execPiped(
          container,
          { command: runnerIn('/root'), cwd: '/', user: 0, group: 0 },
          { signal },
        ),
      handOver(environment, command),
      app.signal,
    );
    exec.stdin.end();
    exec.stdout.pipe(file, { end: false });
    exec.stderr.pipe(file, { end: false });
    return { status: await exec.status, path };
  } finally {
    file.end();
    await finished(file);
  }
}
