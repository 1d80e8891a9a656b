// `coi container`: containers one level below sessions, for scripts, which rely on exit statuses and streams.
import type { Command } from 'commander';
import { Option } from 'commander';
import { anyContainer } from '../../../app/targets/container-by-name.ts';
import { ExitStatus } from '../../../errors.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { addFormatOptions, type FormatOptions, wantsJson } from '../../format-option.ts';
import { mergedOptions } from '../../global-options.ts';
import { type ExecOptions, exec } from './container-exec.ts';
import { launch, mount, remove, start, stop } from './container-lifecycle.ts';
import type { LaunchOptions, LifecycleOptions, MountOptions } from './container-options.ts';
import { info, list } from './container-show.ts';

const outcome = 'print its name and status as JSON';

export function register(command: Command, app: App): void {
  const shared = () => mergedOptions<GlobalOptions>(command);
  const sub = (name: string, about: string) => command.command(name).description(about);
  sub('launch', 'create and start a container from an image')
    .argument('<image>', 'image alias or fingerprint, or an image of a remote (images:debian/12)')
    .argument('<name>', 'name of the new container')
    .option('--ephemeral', 'delete the container when it stops')
    .option('-s, --storage <pool>', 'storage pool of its root disk')
    .option('--json', outcome)
    .action((image: string, name: string, options: LaunchOptions) =>
      launch(app, image, name, options),
    );
  sub('start', 'start a stopped container')
    .argument('<name>', 'name or alias of the container')
    .option('--json', outcome)
    .action((name: string, { json }: LifecycleOptions) => start(app, shared(), name, json));
  sub('stop', 'stop a container')
    .argument('<name>', 'name or alias of the container')
    .option('-f, --force', 'stop it immediately')
    .option('--json', outcome)
    .action(async (name: string, { force, json }: LifecycleOptions) => {
      await stop(app, shared(), name, force ?? false, json);
    });
  sub('delete', 'delete a container')
    .argument('<name>', 'name or alias of the container')
    .option('-f, --force', 'also delete it while it is running')
    .option('--json', outcome)
    .action((name: string, { force, json }: LifecycleOptions) =>
      remove(app, shared(), name, force ?? false, json),
    );
  registerExec(sub('exec', 'run a command in a container, as root by default'), app, shared);
  sub('exists', 'exit with 0 if the container exists, else with 1')
    .argument('<name>', 'name or alias of the container')
    .action(async (name: string) => exitWithAnswer(await anyContainer(app, shared(), name)));
  sub('running', 'exit with 0 if the container is running, else with 1')
    .argument('<name>', 'name or alias of the container')
    .action(async (name: string) =>
      exitWithAnswer((await anyContainer(app, shared(), name))?.status === 'Running'),
    );
  sub('mount', 'mount a directory of the host into a container')
    .argument('<name>', 'name or alias of the container')
    .argument('<device>', 'name of the Incus device')
    .argument('<source>', 'directory on this host')
    .argument('<path>', 'mount path in the container')
    .option('--shift [bool]', 'shift user and group ids (default: true)')
    .option('--readonly', 'mount it read-only')
    .option('--json', 'print the mount as JSON')
    .action((name: string, device: string, source: string, path: string, options: MountOptions) =>
      mount(app, shared(), name, { device, source, path }, options),
    );
  addFormatOptions(sub('list', 'list all containers')).action((options: FormatOptions) =>
    list(app, shared(), wantsJson(options)),
  );
  addFormatOptions(sub('info', 'show one container'))
    .argument('<name>', 'name or alias of the container')
    .action((name: string, options: FormatOptions) =>
      info(app, shared(), name, wantsJson(options)),
    );
}

function registerExec(command: Command, app: App, shared: () => GlobalOptions): void {
  command
    .argument('<name>', 'name or alias of the container')
    .argument('<command...>', 'the command and its arguments (after --)')
    .option('--user <uid>', 'run as this user id (default: 0)')
    .option('--group <gid>', 'run with this group id (default: the user id)')
    .option('--cwd <path>', "working directory (default: the container's workspace)")
    .option('--capture', 'print the result after the command has exited')
    .addOption(new Option('--format <format>', 'output format of --capture: json (default) or raw'))
    .option('-t, --tty', 'allocate a terminal')
    .action((name: string, words: string[], options: ExecOptions) =>
      exec(app, { ...shared(), ...options }, name, words),
    );
}

function exitWithAnswer(yes: unknown): void {
  if (!yes) throw new ExitStatus(1);
}
