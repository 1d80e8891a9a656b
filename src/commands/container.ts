// coi container: containers one level below sessions, for scripts. Exit statuses and streams are the interface.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../app.ts';
import { ExitStatus } from '../errors.ts';
import { incusFailure } from '../session/failure.ts';
import { containerInfoText, containerListText } from '../ui/views/container.ts';
import { anyContainer, existingContainer, isVisible } from './any-container.ts';
import type { GlobalOptions } from './command.ts';
import { type ExecOptions, exec } from './container-exec.ts';
import {
  deleteContainer,
  type LaunchOptions,
  type LifeOptions,
  launch,
  type MountOptions,
  mount,
  start,
  stop,
} from './container-life.ts';
import { flagsOf } from './global.ts';

interface FormatOptions {
  format?: 'text' | 'json';
  json?: boolean;
}

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
      deleteContainer(app, shared(), name, force ?? false, json),
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

export function formatted(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json');
}

export function wantsJson({ format, json }: FormatOptions): boolean {
  return json === true || format === 'json';
}

function answer(yes: unknown): void {
  if (!yes) throw new ExitStatus(1);
}

async function list(app: App, options: GlobalOptions, json: boolean): Promise<void> {
  try {
    const all = await (await app.incus()).instancesWithState({ signal: app.signal });
    const shown = all
      // One that is just being made or deleted comes without any configuration.
      .filter((one) =>
        isVisible(app, options, { ...one, config: one.config ?? {}, devices: one.devices ?? {} }),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    if (json) app.io.printJson(shown);
    else app.io.print(containerListText(shown).join('\n'));
  } catch (error) {
    throw incusFailure(error, 'listing the containers failed');
  }
}

async function info(app: App, options: GlobalOptions, word: string, json: boolean): Promise<void> {
  const { name, instance } = await existingContainer(app, options, word);
  const incus = await app.incus();
  try {
    const [state, snapshots] = await Promise.all([
      incus.instanceState(name, { signal: app.signal }),
      incus.snapshots(name, { signal: app.signal }),
    ]);
    const model = { ...instance, state, snapshots };
    if (json) app.io.printJson(model);
    else app.io.print(containerInfoText(model).join('\n'));
  } catch (error) {
    throw incusFailure(error, `asking for ${name} failed`);
  }
}
