// Logs the output of builds to ~/.coi/logs.
import { createWriteStream, mkdirSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { runnerCommand } from '../../host/install/resources.ts';
import { versionAlias } from '../../image/versions.ts';
import type { Incus } from '../../incus/client.ts';
import { startOnce } from '../../session/lifecycle/secret-handover.ts';
import { handoverText } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

/** Runs a build command as root with its output in a log file; returns the exit status and the file's path. */
export async function runLogged(
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
    const exec = await startOnce(
      (signal) =>
        incus.execPiped(
          container,
          { command: runnerCommand('/root'), cwd: '/', user: 0, group: 0 },
          { signal },
        ),
      handoverText(environment, command),
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
