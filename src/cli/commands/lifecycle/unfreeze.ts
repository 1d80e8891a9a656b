// `coi unfreeze`: resumes paused sessions.
import type { Command } from 'commander';
import type { OwnerScope } from '../../../app/requests.ts';
import { ownContainers, reachableContainers } from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import type { Incus } from '../../../incus/client.ts';
import { quoted } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import { changeState } from '../../../session/record/change-instance.ts';
import { type ContainerRef, refOf } from '../../../session/record/container-ref.ts';
import { findContainer } from '../../../session/record/find-container.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';

const limitMs = 30_000;

type Options = GlobalOptions & OwnerScope & { json?: boolean };

export function register(command: Command, app: App): void {
  command
    .argument('[name]', 'container name or alias (default: all paused sessions)')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\n`coi audit` shows why a session was paused.')
    .action((name: string | undefined) => unfreeze(app, mergedOptions<Options>(command), name));
}

async function unfreeze(app: App, options: Options, word: string | undefined): Promise<void> {
  const incus = await app.incus();
  if (word !== undefined) {
    const own = await reachableContainers(app, options);
    // Of several containers with an alias, the paused one is selected.
    const found = findContainer(app, own.filter(isFrozen), word) ?? findContainer(app, own, word);
    if (!found) {
      throw new CoiError('session-not-found', `container ${quoted(word)} not found`, {
        hint: 'Run `coi list` to see your sessions.',
      });
    }
    if (found.status !== 'Frozen') {
      throw new CoiError(
        'failed',
        `container ${found.name} is not frozen (status: ${found.status})`,
        { hint: 'Run `coi list --status frozen` to see the paused ones.' },
      );
    }
    await unfreezeContainer(incus, refOf(found.instance), app.signal);
    return printUnfrozen(app, options, [found.name]);
  }
  const frozen = (await ownContainers(app, options)).filter(isFrozen);
  if (frozen.length === 0) {
    app.io.info('No frozen COI containers found');
    if (options.json) app.io.printJson({ done: [], failed: [] });
    return;
  }
  await Promise.all(
    frozen.map(({ instance }) => unfreezeContainer(incus, refOf(instance), app.signal)),
  );
  const names = frozen.map(({ name }) => name);
  printUnfrozen(app, options, names);
  if (!options.json) app.io.print(`Unfroze ${names.length} container(s)`);
}

function printUnfrozen({ io }: App, { json }: Options, names: readonly string[]): void {
  if (json) io.printJson({ done: names, failed: [] });
  else for (const name of names) io.print(`Container ${name} unfrozen`);
}

function isFrozen({ status }: Container): boolean {
  return status === 'Frozen';
}

async function unfreezeContainer(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
): Promise<void> {
  try {
    const operation = await changeState(incus, ref, { action: 'unfreeze' }, { signal });
    await operation.wait({ signal, timeoutMs: limitMs });
  } catch (error) {
    throw incusFailure(error, `unfreezing ${ref.name} failed`);
  }
}
