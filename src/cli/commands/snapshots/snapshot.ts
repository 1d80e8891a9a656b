// `coi snapshot`: snapshots of a container and its conversation.
import type { Command } from 'commander';
import { defaultName, takeSnapshot } from '../../../app/snapshots/actions.ts';
import { findSnapshot, snapshotsOf } from '../../../app/snapshots/find.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import type { Snapshot } from '../../../incus/shapes.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import { addFormatOptions, wantsJson } from '../../format-option.ts';
import { mergedOptions } from '../../global-options.ts';
import { snapshotJson, snapshotsText, snapshotText } from '../../ui/views/snapshots.ts';
import { remove } from './snapshot-delete.ts';
import { type SnapshotOptions, selectContainer } from './snapshot-options.ts';
import { restore } from './snapshot-restore.ts';

export function register(command: Command, app: App): void {
  command.option(
    '-c, --container <name>',
    'name or alias (default: the only one of the workspace)',
  );
  const sub = (name: string, about: string) => command.command(name).description(about);
  const withGlobals = (options: SnapshotOptions): SnapshotOptions => ({
    ...mergedOptions<SnapshotOptions>(command),
    ...options,
  });
  sub('create', 'create a snapshot of the container and its conversation')
    .argument('[name]', 'name of the snapshot (default: snap-YYYYMMDD-HHMMSS)')
    .option('--stateful', 'include the memory of its processes, if Incus can')
    .option('--json', 'print the snapshot as JSON')
    .action(async (name: string | undefined, options: SnapshotOptions) => {
      const container = await selectContainer(app, withGlobals(options));
      const made = name ?? defaultName(app.clock.now());
      await takeSnapshot(app, container, made, options.stateful ?? false);
      app.io.info(`Created snapshot '${made}' for container '${container.name}'`);
      if (options.json) printSnapshot(app, container, await findSnapshot(app, container, made));
    });
  addFormatOptions(sub('list', 'list snapshots'))
    .option('-a, --all', 'list the snapshots of all containers')
    .action((options: SnapshotOptions) => list(app, withGlobals(options)));
  sub('restore', 'restore the container and its conversation from a snapshot')
    .argument('<name>', 'name of the snapshot')
    .option('-f, --force', 'skip the confirmation prompt')
    .option('--stateful', 'also restore the memory of its processes')
    .option('--json', 'print the result as JSON')
    .action((name: string, options: SnapshotOptions) => restore(app, withGlobals(options), name));
  sub('delete', 'delete a snapshot')
    .argument('[name]', 'name of the snapshot')
    .option('-a, --all', 'delete all snapshots of the container')
    .option('-f, --force', 'skip the confirmation prompt')
    .option('--json', 'print the result as JSON')
    .action((name: string | undefined, options: SnapshotOptions) =>
      remove(app, withGlobals(options), name),
    );
  addFormatOptions(sub('info', 'show one snapshot'))
    .argument('<name>', 'name of the snapshot')
    .action(async (name: string, options: SnapshotOptions) => {
      const container = await selectContainer(app, withGlobals(options));
      const one = await findSnapshot(app, container, name);
      if (wantsJson(options)) printSnapshot(app, container, one);
      else app.io.print(snapshotText(container.name, one).join('\n'));
    });
}

function printSnapshot(app: App, { name }: Container, one: Snapshot): void {
  app.io.printJson({ container: name, snapshot: snapshotJson(one) });
}

async function list(app: App, options: SnapshotOptions): Promise<void> {
  const containers = options.all
    ? await ownContainers(app, options)
    : [await selectContainer(app, options)];
  if (containers.length === 0) {
    app.io.info('No containers found');
    if (wantsJson(options)) app.io.printJson({});
    return;
  }
  const queries = containers.map(async (container) => {
    // With --all, a container that is being deleted does not fail the list.
    const found = snapshotsOf(app, container);
    return { name: container.name, snapshots: await (options.all ? found.catch(() => []) : found) };
  });
  const lists = await Promise.all(queries);
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
