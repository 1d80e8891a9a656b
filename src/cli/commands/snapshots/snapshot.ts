// coi snapshot: a container as it was, its conversation included.
import type { Command } from 'commander';
import { existing, snapshotsOf } from '../../../app/snapshots/find.ts';
import { defaultName, takeSnapshot } from '../../../app/snapshots/take.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import type { Snapshot } from '../../../incus/shapes.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import { formatted, wantsJson } from '../../format-option.ts';
import { flagsOf } from '../../global-options.ts';
import { snapshotJson, snapshotsText, snapshotText } from '../../ui/views/snapshots.ts';
import { remove } from './snapshot-delete.ts';
import { chosen, type SnapshotOptions } from './snapshot-options.ts';
import { restore } from './snapshot-restore.ts';

export function register(command: Command, app: App): void {
  command.option('-c, --container <name>', "name or alias (default: the workspace's only one)");
  const sub = (name: string, about: string) => command.command(name).description(about);
  const given = (options: SnapshotOptions): SnapshotOptions => ({
    ...flagsOf<SnapshotOptions>(command),
    ...options,
  });
  sub('create', 'keep the container and its conversation as they are now')
    .argument('[name]', 'default: snap-YYYYMMDD-HHMMSS')
    .option('--stateful', 'with the memory of its processes, where Incus can')
    .option('--json', 'print the snapshot as JSON')
    .action(async (name: string | undefined, options: SnapshotOptions) => {
      const container = await chosen(app, given(options));
      const made = name ?? defaultName(app.clock.now());
      await takeSnapshot(app, container, made, options.stateful ?? false);
      app.io.tell(`Created snapshot '${made}' for container '${container.name}'`);
      if (options.json) printSnapshot(app, container, await existing(app, container, made));
    });
  formatted(sub('list', 'list snapshots'))
    .option('-a, --all', 'of all containers')
    .action((options: SnapshotOptions) => list(app, given(options)));
  sub('restore', 'make the container and its conversation what they were')
    .argument('<name>', 'name of the snapshot')
    .option('-f, --force', 'do not ask')
    .option('--stateful', 'with the memory of its processes')
    .option('--json', 'print what was restored as JSON')
    .action((name: string, options: SnapshotOptions) => restore(app, given(options), name));
  sub('delete', 'delete a snapshot')
    .argument('[name]', 'name of the snapshot')
    .option('-a, --all', 'all snapshots of the container')
    .option('-f, --force', 'do not ask')
    .option('--json', 'print what was deleted as JSON')
    .action((name: string | undefined, options: SnapshotOptions) =>
      remove(app, given(options), name),
    );
  formatted(sub('info', 'show one snapshot'))
    .argument('<name>', 'name of the snapshot')
    .action(async (name: string, options: SnapshotOptions) => {
      const container = await chosen(app, given(options));
      const one = await existing(app, container, name);
      if (wantsJson(options)) printSnapshot(app, container, one);
      else app.io.print(snapshotText(container.name, one).join('\n'));
    });
}

function printSnapshot(app: App, { name }: Container, one: Snapshot): void {
  app.io.printJson({ container: name, snapshot: snapshotJson(one) });
}

async function list(app: App, options: SnapshotOptions): Promise<void> {
  const containers = options.all ? await ownContainers(app, options) : [await chosen(app, options)];
  if (containers.length === 0) {
    app.io.tell('No containers found');
    if (wantsJson(options)) app.io.printJson({});
    return;
  }
  const asked = containers.map(async (container) => {
    // With --all one that is just going does not spoil the list.
    const found = snapshotsOf(app, container);
    return { name: container.name, snapshots: await (options.all ? found.catch(() => []) : found) };
  });
  const lists = await Promise.all(asked);
  if (wantsJson(options)) {
    const shown = lists.map(({ name, snapshots }) => [name, snapshots.map(snapshotJson)] as const);
    const [first] = shown;
    if (options.all) app.io.printJson(Object.fromEntries(shown));
    else if (first) app.io.printJson({ container: first[0], snapshots: first[1] });
    return;
  }
  const texts = lists.map(({ name, snapshots }) => snapshotsText(name, snapshots).join('\n'));
  app.io.print(texts.join('\n\n'));
}
