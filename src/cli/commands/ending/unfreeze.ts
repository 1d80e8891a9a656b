// coi unfreeze: lets sessions go on that were paused.
import type { Command } from 'commander';
import type { OwnerScope } from '../../../app/requests.ts';
import { ownContainers, reachableContainers } from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import type { Incus } from '../../../incus/client.ts';
import { quoted } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import { changeState } from '../../../session/record/change-instance.ts';
import { type ContainerRef, refOf } from '../../../session/record/container-ref.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { findContainer } from '../../../session/record/lookup.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';

const limitMs = 30_000;

type Options = GlobalOptions & OwnerScope & { json?: boolean };

export function register(command: Command, app: App): void {
  command
    .argument('[name]', 'container name or alias (default: all that are paused)')
    .option('--json', 'print what was let go as JSON')
    .addHelpText('after', '\nWhy a session was paused is in `coi audit`.')
    .action((name: string | undefined) => unfreeze(app, flagsOf<Options>(command), name));
}

async function unfreeze(app: App, options: Options, word: string | undefined): Promise<void> {
  const incus = await app.incus();
  if (word !== undefined) {
    const own = await reachableContainers(app, options);
    // An alias means the paused one of its containers.
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
        { hint: 'Only a paused container can be let go.' },
      );
    }
    await letGo(incus, refOf(found.instance), app.signal);
    return unfrozen(app, options, [found.name]);
  }
  const frozen = (await ownContainers(app, options)).filter(isFrozen);
  if (frozen.length === 0) {
    app.io.tell('No frozen COI containers found');
    if (options.json) app.io.printJson({ done: [], failed: [] });
    return;
  }
  await Promise.all(frozen.map(({ instance }) => letGo(incus, refOf(instance), app.signal)));
  const names = frozen.map(({ name }) => name);
  unfrozen(app, options, names);
  if (!options.json) app.io.print(`Unfroze ${names.length} container(s)`);
}

function unfrozen({ io }: App, { json }: Options, names: readonly string[]): void {
  if (json) io.printJson({ done: names, failed: [] });
  else for (const name of names) io.print(`Container ${name} unfrozen`);
}

function isFrozen({ status }: Container): boolean {
  return status === 'Frozen';
}

async function letGo(incus: Incus, ref: ContainerRef, signal: AbortSignal): Promise<void> {
  try {
    const operation = await changeState(incus, ref, { action: 'unfreeze' }, { signal });
    await operation.wait({ signal, timeoutMs: limitMs });
  } catch (error) {
    throw incusFailure(error, `unfreezing ${ref.name} failed`);
  }
}
