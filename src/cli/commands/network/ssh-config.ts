// `coi ssh-config`: the SSH configuration of a session, for scp, sftp and editors.
import type { Command } from 'commander';
import { refreshSshDirectory } from '../../../app/ssh-directory.ts';
import { namedSession } from '../../../app/targets/named-session.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { selfArgv } from '../../../host/process/self.ts';
import { defaultPrefix } from '../../../names.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { storedSessions } from '../../../session/store/saved-sessions.ts';
import {
  hostBlock,
  hostNames,
  includeLine,
  type SshHost,
  sshDirectory,
} from '../../../session/terminal/ssh-config.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { includeConfig, warnOfFindings } from './ssh-config-include.ts';

interface Options extends GlobalOptions {
  write?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[session]',
      'name or alias (default: the only one of the workspace, or the one of --slot)',
    )
    .option(
      '--write',
      `write it to ~/${sshDirectory}/config and include that in ~/.ssh/config (asks first)`,
    )
    .option('-y, --yes', 'with --write: skip the confirmation prompt')
    .option('--json', 'print the host names and the path as JSON')
    .addHelpText(
      'after',
      '\nEach connection starts its own SSH server in the session; nothing listens on a port. Programs in the session can\nimpersonate it: keep SSH agent forwarding off, and do not forward ports of this host into it (-R).',
    )
    .action((word: string | undefined) => sshConfig(app, mergedOptions<Options>(command), word));
}

async function sshConfig(app: App, options: Options, word: string | undefined): Promise<void> {
  const { write = false, yes = false, json = false } = options;
  if (yes && !write) throw new CoiError('usage', '--yes needs --write', { hint: 'Add --write.' });
  const host = hostOf(app, await namedSession(app, sessionTarget(options), word));
  const sessions = await sessionsThatExist(app, options);
  await refreshSshDirectory(app, host, sessions, write);
  const [name = ''] = host.names;
  const included = write && (await includeConfig(app, yes));
  if (json) {
    const config = write ? `${host.home}/${sshDirectory}/config` : null;
    return app.io.printJson({ session: host.session, hosts: host.names, config, included });
  }
  if (!write) return app.io.print(hostBlock(host).trimEnd());
  if (included) {
    warnOfFindings(app, name, host.session);
    app.io.info(`Ready: ssh ${name}`);
  } else
    app.io.info(
      `Ready: ssh -F ~/${sshDirectory}/config ${name}\nFor \`ssh ${name}\` add this to the top of ~/.ssh/config: ${includeLine}`,
    );
}

function hostOf(app: App, { name, session }: Container): SshHost {
  if (!session)
    throw new CoiError('session-not-found', `${name} is not a coi session`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  // Container names are reused: the id makes sure that the host never connects to another session.
  const prefix = app.prefix === defaultPrefix ? [] : ['env', `COI_CONTAINER_PREFIX=${app.prefix}`];
  return {
    names: hostNames(name, session, app.prefix),
    session: session.session,
    proxy: [...prefix, ...selfArgv(process), '__ssh', session.session],
    home: app.user.home,
  };
}

/** Sessions with a container, and saved sessions that could be resumed in a new one. */
async function sessionsThatExist(app: App, options: GlobalOptions): Promise<Set<string>> {
  const own = await ownContainers(app, options);
  const stored = storedSessions({ home: app.user.home }, hostFiles);
  return new Set([
    ...own.flatMap(({ session }) => (session ? [session.session] : [])),
    ...stored.flatMap((entry) => (entry.kind === 'saved' ? [entry.metadata.sessionId] : [])),
  ]);
}
