// The subcommands of `coi container` that create, start, stop, change and delete a container.
import { deleteContainer } from '../../../app/containers/delete.ts';
import { launchContainer } from '../../../app/containers/launch.ts';
import { mountInto } from '../../../app/containers/mount.ts';
import { startContainer } from '../../../app/containers/start.ts';
import { stopByRef } from '../../../app/end-sessions/stop-container.ts';
import { existingContainer } from '../../../app/targets/container-by-name.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { refOf } from '../../../session/record/container-ref.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import type { LaunchOptions, MountOptions } from './container-options.ts';

/** Reports the change of a container; the JSON has its new status. */
function reportStatus(
  { io }: App,
  json: boolean | undefined,
  name: string,
  status: 'Running' | 'Stopped' | 'Deleted',
  text: string,
): void {
  io.info(text);
  if (json) io.printJson({ name, status });
}

export async function launch(
  app: App,
  image: string,
  word: string,
  options: LaunchOptions,
): Promise<void> {
  const name = await launchContainer(app, image, word, options);
  reportStatus(
    app,
    options.json,
    name,
    'Running',
    `Launched container ${name} from image ${image}`,
  );
}

export async function start(app: App, options: GlobalOptions, word: string, json?: boolean) {
  const container = await existingContainer(app, options, word);
  const { name } = container;
  const did = await startContainer(app, container);
  const text =
    did === 'started' ? `Started container ${name}` : `Container ${name} is already running`;
  reportStatus(app, json, name, 'Running', text);
}

export async function stop(
  app: App,
  options: GlobalOptions,
  word: string,
  force: boolean,
  json?: boolean,
): Promise<void> {
  const { name, status, instance } = await existingContainer(app, options, word);
  if (status === 'Stopped')
    return reportStatus(app, json, name, 'Stopped', `Container ${name} is already stopped`);
  await stopByRef(app, refOf(instance), force);
  const then = instance.ephemeral ? 'Deleted' : 'Stopped';
  reportStatus(app, json, name, then, `Stopped container ${name}`);
}

export async function remove(
  app: App,
  options: GlobalOptions,
  word: string,
  force: boolean,
  json?: boolean,
): Promise<void> {
  const container = await existingContainer(app, options, word);
  await deleteContainer(app, container, force);
  const { name } = container;
  reportStatus(app, json, name, 'Deleted', `Deleted container ${name}`);
}

export async function mount(
  app: App,
  options: GlobalOptions,
  word: string,
  { device, source, path }: { device: string; source: string; path: string },
  { shift = 'true', readonly = false, json = false }: MountOptions,
): Promise<void> {
  if (shift !== true && shift !== 'true' && shift !== 'false')
    throw new CoiError('usage', `invalid --shift ${quoted(shift)}`, { hint: 'Use true or false.' });
  const wanted = { device, source, path, shifted: shift !== 'false', readonly };
  const { name, host } = await mountInto(app, options, word, wanted);
  app.io.info(`Mounted ${host} at ${path} in ${name}`);
  if (json) app.io.printJson({ name, device, source: host, path, readonly });
}
