// The line in the user's ssh configuration that takes coi's file in.
import { hostFiles } from '../../../host/fs/host-files.ts';
import { answerOf } from '../../../host/process/ask-program.ts';
import { includeLine, sshFindings, withInclude } from '../../../session/terminal/ssh-config.ts';
import type { App } from '../../app.ts';

const configMaxBytes = 4 * 1024 * 1024;
const askMs = 5000;

/** False if the user's configuration was left as it is. */
export async function include(app: App, yes: boolean): Promise<boolean> {
  const { home, uid, gid } = app.user;
  const path = '.ssh/config';
  const before = hostFiles.readUserFile(home, path, { maxBytes: configMaxBytes })?.text;
  if (withInclude(before) === undefined) return true;
  // An answer that is piped in may be meant for another question.
  if (!yes && !app.io.interactive) return false;
  const question = `Put \`${includeLine}\` at the top of ~/${path}?`;
  const left = `~/${path} was not changed`;
  if (!yes && !(await app.io.confirm(question, undefined, left))) return false;
  return hostFiles.changeUserFile(home, path, withInclude, {
    maxBytes: configMaxBytes,
    owner: { uid, gid },
  });
}

/** What the rest of the user's configuration makes of it, as ssh itself says. */
export function warnOfFindings(app: App, name: string, session: string): void {
  const said = answerOf(['ssh', '-G', name], { timeoutMs: askMs });
  if (said === undefined) {
    app.io.warn(`\`ssh -G ${name}\` failed, so it is not known what ~/.ssh/config adds to it`);
    return;
  }
  for (const finding of sshFindings(said, session))
    app.io.warn(`your configuration of ssh ${finding} (${name})`);
}
