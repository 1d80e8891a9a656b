// coi file push|pull: files between the host and a container, running or stopped.
import type { Command } from 'commander';
import { pull } from '../../../app/files/pull.ts';
import { push } from '../../../app/files/push.ts';
import { parseRemote } from '../../../app/files/remote-path.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';

interface Options {
  recursive?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  const shared = () => flagsOf<GlobalOptions>(command);
  command
    .command('push')
    .description('copy a file or directory into a container')
    .argument('<local>', 'file or directory of this host')
    .argument('<container:path>', 'container and the place in it')
    .option('-r, --recursive', 'a directory with all that is in it')
    .option('--json', 'print what was copied as JSON')
    .action(async (local: string, remote: string, { recursive = false, json }: Options) => {
      const copied = await push(app, shared(), local, parseRemote(remote), recursive);
      if (json) app.io.printJson(copied);
    });
  command
    .command('pull')
    .description('copy a file or directory out of a container')
    .argument('<container:path>', 'container and the file or directory in it')
    .argument('<local>', 'place on this host')
    .option('-r, --recursive', 'a directory with all that is in it')
    .option('--json', 'print what was copied as JSON')
    .action(async (remote: string, local: string, { recursive = false, json }: Options) => {
      const copied = await pull(app, shared(), parseRemote(remote), local, recursive);
      if (json) app.io.printJson(copied);
    });
  command.addHelpText(
    'after',
    '\nAn existing directory receives the entry inside, as with cp. Links are copied as links into a container and left\nout on the way back, as are devices, sockets and FIFOs; set-user-id bits do not travel.',
  );
}
