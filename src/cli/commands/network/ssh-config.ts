// coi ssh-config: a session as a host of ssh, for scp, sftp and editors.
import type { Command } from 'commander';
import { refreshPlace } from '../../../app/ssh-directory.ts';
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
  sshPlace,
} from '../../../session/terminal/ssh-config.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { include, warnOfFindings } from './ssh-config-include.ts';

interface Options extends GlobalOptions {
  write?: boolean;
  yes?: boolean;
  json?: boolean;
}

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
  const host = hostOf(app, await namedSession(app, sessionTarget(options), word));
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
