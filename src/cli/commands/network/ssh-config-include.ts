// The line in the user's SSH configuration that includes coi's file.
import { hostFiles } from '../../../host/fs/host-files.ts';
import { captureOutput } from '../../../host/process/capture-output.ts';
import { includeLine, sshFindings, withInclude } from '../../../session/terminal/ssh-config.ts';
import type { App } from '../../app.ts';

const configMaxBytes = 4 * 1024 * 1024;
const askMs = 5000;

/** Adds the line. Returns false if the user's configuration was not changed. */
export async function includeConfig(app: App, yes: boolean): Promise<boolean> {
  const { home, uid, gid } = app.user;
  const path = '.ssh/config';
  const before = hostFiles.readUserFile(home, path, { maxBytes: configMaxBytes })?.text;
  if (withInclude(before) === undefined) return true;
  // Piped input may be meant for another question.
  if (!yes && !app.io.interactive) return false;
  const question = `Add \`${includeLine}\` to the top of ~/${path}?`;
  const left = `~/${path} was not changed`;
  if (!yes && !(await app.io.confirm(question, undefined, left))) return false;
  return hostFiles.changeUserFile(home, path, withInclude, {
    maxBytes: configMaxBytes,
    owner: { uid, gid },
  });
}

/** Warns about settings of the user's configuration that also apply to the host, as reported by ssh itself. */
export function warnOfFindings(app: App, name: string, session: string): void {
  const output = captureOutput(['ssh', '-G', name], { timeoutMs: askMs });
  if (output === undefined) {
    app.io.warn(`\`ssh -G ${name}\` failed; cannot check what ~/.ssh/config adds to it`);
    return;
  }
  for (const finding of sshFindings(output, session))
    app.io.warn(`your SSH configuration ${finding} (${name})`);
}
