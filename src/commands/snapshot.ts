// coi snapshot: a container as it was, its conversation included.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import type { Snapshot } from '../incus/shapes.ts';
import { quoted } from '../names.ts';
import { incusFailure } from '../session/failure.ts';
import type { Container } from '../session/record.ts';
import { snapshotJson, snapshotsText, snapshotText } from '../ui/views/snapshots.ts';
import type { GlobalOptions } from './command.ts';
import { formatted, wantsJson } from './container.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { oneContainer } from './one-container.ts';
import { defaultName, dropSnapshot, restoreSnapshot, takeSnapshot } from './snapshot-take.ts';

interface Options extends GlobalOptions {
  container?: string;
  all?: boolean;
  force?: boolean;
  stateful?: boolean;
  format?: 'text' | 'json';
  json?: boolean;
}

/** Here the predecessor took the whole word too. */
const yes = /^(?:y|yes)$/i;

export function register(command: Command, app: App): void {
  command.option('-c, --container <name>', "name or alias (default: the workspace's only one)");
  const sub = (name: string, about: string) => command.command(name).description(about);
  const given = (options: Options): Options => ({ ...flagsOf<Options>(command), ...options });
  sub('create', 'keep the container and its conversation as they are now')
    .argument('[name]', 'default: snap-YYYYMMDD-HHMMSS')
    .option('--stateful', 'with the memory of its processes, where Incus can')
    .option('--json', 'print the snapshot as JSON')
    .action(async (name: string | undefined, options: Options) => {
      const container = await chosen(app, given(options));
      const made = name ?? defaultName(app.clock.now());
      await takeSnapshot(app, container, made, options.stateful ?? false);
      app.io.tell(`Created snapshot '${made}' for container '${container.name}'`);
      if (options.json) printSnapshot(app, container, await existing(app, container, made));
    });
  formatted(sub('list', 'list snapshots'))
    .option('-a, --all', 'of all containers')
    .action((options: Options) => list(app, given(options)));
  sub('restore', 'make the container and its conversation what they were')
    .argument('<name>', 'name of the snapshot')
    .option('-f, --force', 'do not ask')
    .option('--stateful', 'with the memory of its processes')
    .option('--json', 'print what was restored as JSON')
    .action((name: string, options: Options) => restore(app, given(options), name));
  sub('delete', 'delete a snapshot')
    .argument('[name]', 'name of the snapshot')
    .option('-a, --all', 'all snapshots of the container')
    .option('-f, --force', 'do not ask')
    .option('--json', 'print what was deleted as JSON')
    .action((name: string | undefined, options: Options) => remove(app, given(options), name));
  formatted(sub('info', 'show one snapshot'))
    .argument('<name>', 'name of the snapshot')
    .action(async (name: string, options: Options) => {
      const container = await chosen(app, given(options));
      const one = await existing(app, container, name);
      if (wantsJson(options)) printSnapshot(app, container, one);
      else app.io.print(snapshotText(container.name, one).join('\n'));
    });
}

function printSnapshot(app: App, { name }: Container, one: Snapshot): void {
  app.io.printJson({ container: name, snapshot: snapshotJson(one) });
}

function chosen(app: App, options: Options): Promise<Container> {
  return oneContainer(app, options, options.container);
}

async function list(app: App, options: Options): Promise<void> {
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

async function restore(app: App, options: Options, name: string): Promise<void> {
  const container = await chosen(app, options);
  const shown = await existing(app, container, name);
  const answer = (restored: boolean) => {
    if (options.json) app.io.printJson({ container: container.name, snapshot: name, restored });
  };
  if (container.status !== 'Stopped')
    throw new CoiError('failed', `container ${container.name} has to be stopped first`, {
      hint: container.session?.persistent
        ? `coi container stop ${container.name}`
        : `An ephemeral one is deleted when it stops: coi persist ${container.name} && coi container stop ${container.name}`,
    });
  if (!options.force) {
    app.io.tell(`What changed in '${container.name}' since snapshot '${name}' will be lost.`);
    if (!(await app.io.confirm('Restore it?', yes))) {
      answer(false);
      return app.io.tell('Aborted');
    }
    // The answer may have taken any time.
    if ((await existing(app, container, name)).created_at !== shown.created_at)
      throw anotherSnapshot(name, container);
  }
  await restoreSnapshot(app, container, name, options.stateful ?? false);
  app.io.tell(`Restored container '${container.name}' from snapshot '${name}'`);
  answer(true);
}

async function remove(app: App, options: Options, name: string | undefined): Promise<void> {
  if (name === undefined && !options.all)
    throw new CoiError('usage', 'snapshot name required', { hint: 'Or use --all.' });
  const container = await chosen(app, options);
  const doomed = options.all
    ? await snapshotsOf(app, container)
    : [await existing(app, container, name ?? '')];
  const answer = (deleted: readonly string[]) => {
    if (options.json) app.io.printJson({ container: container.name, deleted });
  };
  if (doomed.length === 0) {
    answer([]);
    return app.io.tell(`No snapshots to delete for ${container.name}`);
  }
  if (options.all && !options.force) {
    const question = `Delete ${doomed.length} snapshot(s) of '${container.name}'?`;
    if (!(await app.io.confirm(question, yes))) {
      answer([]);
      return app.io.tell('Aborted');
    }
  }
  const deleted: string[] = [];
  // The answer may have taken any time.
  const now = await snapshotsOf(app, container);
  for (const one of doomed) {
    const then = now.find(({ name: other }) => other === one.name);
    if (then?.created_at !== one.created_at) {
      app.io.warn(anotherSnapshot(one.name, container).message);
      continue;
    }
    await dropSnapshot(app, container, one.name);
    deleted.push(one.name);
    app.io.tell(`Deleted snapshot '${one.name}' from container '${container.name}'`);
  }
  answer(deleted);
}

function anotherSnapshot(name: string, { name: container }: Container): CoiError {
  return new CoiError(
    'failed',
    `snapshot '${name}' of '${container}' is gone or another one since you were asked: nothing was done with it`,
    { hint: `Run \`coi snapshot list -c ${container}\` to see them.` },
  );
}

async function snapshotsOf(app: App, { name }: Container): Promise<Snapshot[]> {
  try {
    const found = await (await app.incus()).snapshots(name, { signal: app.signal });
    return found.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
  } catch (error) {
    throw incusFailure(error, `listing the snapshots of ${name} failed`);
  }
}

async function existing(app: App, container: Container, name: string): Promise<Snapshot> {
  const found = (await snapshotsOf(app, container)).find((one) => one.name === name);
  if (found) return found;
  throw new CoiError(
    'session-not-found',
    `snapshot ${quoted(name).replaceAll('"', "'")} not found for container '${container.name}'`,
    { hint: `Run \`coi snapshot list -c ${container.name}\` to see them.` },
  );
}
