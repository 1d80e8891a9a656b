// Starts a container of the user's image as any session would be, asks what it reaches, and takes it away again.
import { mkdtempSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { CoiError } from '../../errors.ts';
import { removeTreeAt } from '../../host/fs/remove-tree.ts';
import { guestScript } from '../../host/install/resources.ts';
import { listenOn, reaches } from '../../host/net/reachability.ts';
import { ownPid } from '../../host/process/run-program.ts';
import type { Incus } from '../../incus/client.ts';
import { newSessionId, parseImageAlias } from '../../names.ts';
import { plainPolicy } from '../../network/policy.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import { noTool } from '../../session/record/instance-record.ts';
import { forbidden, probedName } from '../../setup/checks/probe.ts';
import type { ProbeAnswer } from '../../setup/own.ts';
import { type ConfigurationOf, lookedUpConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { launchPlain } from '../run-command/plain-container.ts';
import { following, wish } from '../session-spec/session-wish.ts';
import { place, plainPlace } from '../workspace.ts';

/** From the first call to the last answer. */
const wholeMs = 45_000;
const endMs = 30_000;
const hostTryMs = 5_000;

/** Never rejects but when the user interrupts. */
export async function probeSession(app: AppContext, of: ConfigurationOf): Promise<ProbeAnswer> {
  const limit = AbortSignal.timeout(wholeMs);
  const bounded: AppContext = { ...app, signal: AbortSignal.any([app.signal, limit]) };
  try {
    return await probed(bounded, of);
  } catch (error) {
    app.signal.throwIfAborted();
    if (limit.aborted)
      return { kind: 'failed', message: `no answer within ${wholeMs / 1000} s`, hint: undefined };
    if (error instanceof CoiError)
      return { kind: 'failed', message: error.message, hint: error.hint };
    throw error;
  }
}

async function probed(app: AppContext, of: ConfigurationOf): Promise<ProbeAnswer> {
  const resolved = await lookedUpConfig(app, of);
  const image = parseImageAlias(resolved.settings['container.image']);
  const incus = await app.incus();
  if (!(await incus.imageAlias(image, { signal: app.signal }))) return { kind: 'no-image', image };
  const begunMs = app.clock.elapsedMs();
  const directory = mkdtempSync(`/var/tmp/coi-health-${ownPid()}-`);
  let container: ContainerRef | undefined;
  try {
    const at = plainPlace(place(app, directory));
    const wanted = wish(app, resolved, at, {
      session: newSessionId(),
      tool: noTool,
      slot: undefined,
      persistent: false,
      mounts: [],
      disposable: true,
      following: {
        ...(await following(app, resolved, at.workspace)),
        network: 'restricted',
        policy: plainPolicy('restricted'),
      },
    });
    const hostConnects = reaches(probedName, 443, hostTryMs);
    container = await launchPlain(app, { ...wanted, alias: undefined, monitor: undefined });
    const heard = await asked(app, incus, container.name);
    return {
      kind: 'answered',
      ...heard,
      hostConnects: await hostConnects,
      tookMs: Math.round(app.clock.elapsedMs() - begunMs),
    };
  } finally {
    if (container !== undefined) await killContainer(incus, container, AbortSignal.timeout(endMs));
    await removeTreeAt(directory);
  }
}

async function asked(app: AppContext, incus: Incus, container: string) {
  const { bridge } = await (await app.coid()).status({ signal: app.signal });
  const gateway = networkInterfaces()[bridge]?.find(({ family }) => family === 'IPv4')?.address;
  // Something that does listen: only then does silence mean that the guard is in force.
  await using listener = gateway === undefined ? undefined : await listenOn(gateway);
  const targets = [...forbidden, ...(listener ? [`${gateway}:${listener.port}`] : [])];
  const said = await incus.execCaptured(
    container,
    {
      command: ['sh', '-c', guestScript('probe.sh'), 'coi-probe', probedName, ...targets],
      user: 0,
      group: 0,
      input: '',
    },
    { signal: app.signal, timeoutMs: wholeMs },
  );
  const lines = said.stdout.toString('utf8').split('\n');
  const after = (word: string) =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    address: after('address')[0],
    connected: lines.includes('connected'),
    reached: after('reached').filter((place) => forbidden.some((one) => one === place)),
    hostReached: listener?.reached(),
  };
}
