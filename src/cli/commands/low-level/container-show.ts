// `coi container list` and `coi container info`.
import { existingContainer, isVisible } from '../../../app/targets/container-by-name.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { containerInfoText, containerListText } from '../../ui/views/container.ts';

export async function list(app: App, options: GlobalOptions, json: boolean): Promise<void> {
  try {
    const all = await (await app.incus()).instancesWithState({ signal: app.signal });
    const shown = all
      // An instance that is being created or deleted has no configuration.
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

export async function info(
  app: App,
  options: GlobalOptions,
  word: string,
  json: boolean,
): Promise<void> {
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
    throw incusFailure(error, `reading the state of ${name} failed`);
  }
}
