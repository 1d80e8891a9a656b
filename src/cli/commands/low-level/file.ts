// `coi file`: copies files between the host and a container, running or stopped.
import type { Command } from 'commander';
import { pull } from '../../../app/files/pull.ts';
import { push } from '../../../app/files/push.ts';
import { parseRemote } from '../../../app/files/remote-path.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';

interface Options {
  recursive?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  const shared = () => mergedOptions<GlobalOptions>(command);
  command
    .command('push')
    .description('copy a file or directory into a container')
    .argument('<local>', 'file or directory on this host')
    .argument('<container:path>', 'container and destination path')
    .option('-r, --recursive', 'copy a directory and its contents')
    .option('--json', 'print the result as JSON')
    .action(async (local: string, remote: string, { recursive = false, json }: Options) => {
      const copied = await push(app, shared(), local, parseRemote(remote), recursive);
      if (json) app.io.printJson(copied);
    });
  command
    .command('pull')
    .description('copy a file or directory out of a container')
    .argument('<container:path>', 'container and path of the file or directory')
    .argument('<local>', 'destination on this host')
    .option('-r, --recursive', 'copy a directory and its contents')
    .option('--json', 'print the result as JSON')
    .action(async (remote: string, local: string, { recursive = false, json }: Options) => {
      const copied = await pull(app, shared(), parseRemote(remote), local, recursive);
      if (json) app.io.printJson(copied);
    });
  command.addHelpText(
    'after',
    '\nLike cp, it copies into the destination if that is an existing directory. Symbolic links are copied as links into a\ncontainer and skipped on the way back, as are devices, sockets and FIFOs. Set-user-id bits are dropped.',
  );
}
