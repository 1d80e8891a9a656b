// coi ssh-config: a session as a host of ssh, for scp, sftp and editors.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { answerOf } from '../host/ask-program.ts';
import { hostFiles } from '../host/files.ts';
import { selfArgv } from '../host/self.ts';
import { defaultPrefix } from '../names.ts';
import type { Container } from '../session/record.ts';
import {
  hostBlock,
  hostNames,
  includeLine,
  type SshHost,
  sshFindings,
  sshPlace,
  withInclude,
} from '../session/ssh-config.ts';
import { storedSessions } from '../session/stored.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { namedSession } from './named-session.ts';
import { refreshPlace } from './ssh-place.ts';

interface Options extends GlobalOptions {
  write?: boolean;
  yes?: boolean;
  json?: boolean;
}

const configMaxBytes = 4 * 1024 * 1024;
const askMs = 5000;

export function register(command: Command, app: App): void {
  command
    .argument('[session]', "name or alias (default: the workspace's only one, or that of --slot)")
    .option('--write', `keep it in ~/${sshPlace}/config, which ~/.ssh/config includes; asks first`)
    .option('-y, --yes', 'with --write: do not ask')
    .option('--json', "print the host's names and where it is kept as JSON")
    .addHelpText(
      'after',
      '\nAn ssh server is started inside for each connection and ends with it; nothing listens. What runs in a session can\nanswer in its place: keep agent forwarding off and forward no port of this host into it (-R).',
    )
    .action((word: string | undefined) => sshConfig(app, flagsOf<Options>(command), word));
}

async function sshConfig(app: App, options: Options, word: string | undefined): Promise<void> {
  const { write = false, yes = false, json = false } = options;
  if (yes && !write) throw new CoiError('usage', '--yes needs --write', { hint: 'Add --write.' });
  const host = hostOf(app, await namedSession(app, options, word));
  const sessions = await sessionsThatExist(app, options);
  await refreshPlace(app, host, sessions, write);
  const [name = ''] = host.names;
  const included = write && (await include(app, yes));
  if (json) {
    const config = write ? `${host.home}/${sshPlace}/config` : null;
    return app.io.printJson({ session: host.session, hosts: host.names, config, included });
  }
  if (!write) return app.io.print(hostBlock(host).trimEnd());
  if (included) {
    warnOfFindings(app, name, host.session);
    app.io.tell(`Ready: ssh ${name}`);
  } else
    app.io.tell(
      `Ready: ssh -F ~/${sshPlace}/config ${name}\nFor \`ssh ${name}\` put this at the top of ~/.ssh/config: ${includeLine}`,
    );
}

function hostOf(app: App, { name, session }: Container): SshHost {
  if (!session)
    throw new CoiError('session-not-found', `${name} is no session of coi`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  // A name that is given out again must not lead to another session, so it is asked for by its id.
  const prefix = app.prefix === defaultPrefix ? [] : ['env', `COI_CONTAINER_PREFIX=${app.prefix}`];
  return {
    names: hostNames(name, session, app.prefix),
    session: session.session,
    proxy: [...prefix, ...selfArgv(process), '__ssh', session.session],
    home: app.user.home,
  };
}

/** Those that have a container, and those that could be resumed in a new one. */
async function sessionsThatExist(app: App, options: GlobalOptions): Promise<Set<string>> {
  const own = await ownContainers(app, options);
  const stored = storedSessions({ home: app.user.home }, hostFiles);
  return new Set([
    ...own.flatMap(({ session }) => (session ? [session.session] : [])),
    ...stored.flatMap((entry) => (entry.kind === 'saved' ? [entry.metadata.sessionId] : [])),
  ]);
}

/** False if the user's configuration was left as it is. */
async function include(app: App, yes: boolean): Promise<boolean> {
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
function warnOfFindings(app: App, name: string, session: string): void {
  const said = answerOf(['ssh', '-G', name], { timeoutMs: askMs });
  if (said === undefined) {
    app.io.warn(`\`ssh -G ${name}\` failed, so it is not known what ~/.ssh/config adds to it`);
    return;
  }
  for (const finding of sshFindings(said, session))
    app.io.warn(`your configuration of ssh ${finding} (${name})`);
}
