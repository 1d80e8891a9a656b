// coi container: containers one level below sessions, for scripts. Exit statuses and streams are the interface.
import type { Command } from 'commander';
import { Option } from 'commander';
import { anyContainer } from '../../../app/targets/container-by-name.ts';
import { ExitStatus } from '../../../errors.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { type FormatOptions, formatted, wantsJson } from '../../format-option.ts';
import { flagsOf } from '../../global-options.ts';
import { type ExecOptions, exec } from './container-exec.ts';
import { launch, mount, remove, start, stop } from './container-lifecycle.ts';
import type { LaunchOptions, LifeOptions, MountOptions } from './container-options.ts';
import { info, list } from './container-show.ts';

const outcome = 'print its name and status as JSON';

export function register(command: Command, app: App): void {
  const shared = () => flagsOf<GlobalOptions>(command);
  const sub = (name: string, about: string) => command.command(name).description(about);
  sub('launch', 'make and start a container of an image')
    .argument('<image>', 'alias or fingerprint of an image, or one of a remote (images:debian/12)')
    .argument('<name>', 'name of the new container')
    .option('--ephemeral', 'Incus deletes it when it stops')
    .option('-s, --storage <pool>', 'storage pool of its disk')
    .option('--json', outcome)
    .action((image: string, name: string, options: LaunchOptions) =>
      launch(app, image, name, options),
    );
  sub('start', 'start a stopped container')
    .argument('<name>', 'name or alias of the container')
    .option('--json', outcome)
    .action((name: string, { json }: LifeOptions) => start(app, shared(), name, json));
  sub('stop', 'stop a container')
    .argument('<name>', 'name or alias of the container')
    .option('-f, --force', 'at once')
    .option('--json', outcome)
    .action(async (name: string, { force, json }: LifeOptions) => {
      await stop(app, shared(), name, force ?? false, json);
    });
  sub('delete', 'delete a container')
    .argument('<name>', 'name or alias of the container')
    .option('-f, --force', 'also when it runs')
    .option('--json', outcome)
    .action((name: string, { force, json }: LifeOptions) =>
      remove(app, shared(), name, force ?? false, json),
    );
  registerExec(sub('exec', 'run a command inside, as root unless told otherwise'), app, shared);
  sub('exists', 'exit with 0 if there is such a container, else with 1')
    .argument('<name>', 'name or alias of the container')
    .action(async (name: string) => answer(await anyContainer(app, shared(), name)));
  sub('running', 'exit with 0 if the container runs, else with 1')
    .argument('<name>', 'name or alias of the container')
    .action(async (name: string) =>
      answer((await anyContainer(app, shared(), name))?.status === 'Running'),
    );
  sub('mount', 'add a directory of the host')
    .argument('<name>', 'name or alias of the container')
    .argument('<device>', 'name that the mount gets in Incus')
    .argument('<source>', 'directory of this host')
    .argument('<path>', 'where it is mounted inside')
    .option('--shift [bool]', 'shift ids (default: true)')
    .option('--readonly', 'not writable inside')
    .option('--json', 'print the mount as JSON')
    .action((name: string, device: string, source: string, path: string, options: MountOptions) =>
      mount(app, shared(), name, { device, source, path }, options),
    );
  formatted(sub('list', 'list all containers')).action((options: FormatOptions) =>
    list(app, shared(), wantsJson(options)),
  );
  formatted(sub('info', 'show one container'))
    .argument('<name>', 'name or alias of the container')
    .action((name: string, options: FormatOptions) =>
      info(app, shared(), name, wantsJson(options)),
    );
}

function registerExec(command: Command, app: App, shared: () => GlobalOptions): void {
  command
    .argument('<name>', 'name or alias of the container')
    .argument('<command...>', 'the command and its arguments (after --)')
    .option('--user <uid>', 'run as that user')
    .option('--group <gid>', 'run with that group (default: the number of the user)')
    .option('--cwd <path>', "working directory (default: the container's workspace)")
    .option('--capture', 'print the outcome when it has ended')
    .addOption(new Option('--format <format>', 'of --capture: json (default) or raw'))
    .option('-t, --tty', 'give it a terminal')
    .action((name: string, words: string[], options: ExecOptions) =>
      exec(app, { ...shared(), ...options }, name, words),
    );
}

function answer(yes: unknown): void {
  if (!yes) throw new ExitStatus(1);
}
