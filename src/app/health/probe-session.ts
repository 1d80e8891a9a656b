// Starts a temporary container like a session of the user, checks what it can reach, and deletes it.
import { mkdtempSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { CoiError } from '../../errors.ts';
import { removeTreeAt } from '../../host/fs/remove-tree.ts';
import { guestScript } from '../../host/install/resources.ts';
import { canConnect, openListener } from '../../host/net/reachability.ts';
import { ownPid } from '../../host/process/run-command.ts';
import type { Incus } from '../../incus/client.ts';
import { newSessionId, parseImageAlias } from '../../names.ts';
import { defaultPolicy } from '../../network/policy.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import { noTool } from '../../session/record/instance-record.ts';
import { forbiddenAddresses, probedName } from '../../setup/checks/connectivity.ts';
import type { ProbeResult } from '../../setup/health-context.ts';
import { type ConfigScope, readConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { launchPlain } from '../run-command/plain-container.ts';
import { makeSessionSpec, restartSettings } from '../session-spec/make-session-spec.ts';
import { checkWorkspace, scratchWorkspace } from '../workspace.ts';

/** Time from the first call to the last answer. */
const wholeMs = 45_000;
const endMs = 30_000;
const hostTryMs = 5_000;

/** Failures are part of the answer; throws if the user interrupts. */
export async function probeSession(app: AppContext, of: ConfigScope): Promise<ProbeResult> {
  const limit = AbortSignal.timeout(wholeMs);
  const bounded: AppContext = { ...app, signal: AbortSignal.any([app.signal, limit]) };
  try {
    return await runProbe(bounded, of);
  } catch (error) {
    app.signal.throwIfAborted();
    if (limit.aborted)
      return { kind: 'failed', message: `no answer within ${wholeMs / 1000} s`, hint: undefined };
    if (error instanceof CoiError)
      return { kind: 'failed', message: error.message, hint: error.hint };
    throw error;
  }
}

async function runProbe(app: AppContext, of: ConfigScope): Promise<ProbeResult> {
  const resolved = await readConfig(app, of);
  const image = parseImageAlias(resolved.settings['container.image']);
  const incus = await app.incus();
  if (!(await incus.imageAlias(image, { signal: app.signal }))) return { kind: 'no-image', image };
  const begunMs = app.clock.elapsedMs();
  const directory = mkdtempSync(`/var/tmp/coi-health-${ownPid()}-`);
  let container: ContainerRef | undefined;
  try {
    const at = scratchWorkspace(checkWorkspace(app, directory));
    const wanted = makeSessionSpec(app, resolved, at, {
      session: newSessionId(),
      tool: noTool,
      slot: undefined,
      persistent: false,
      mounts: [],
      disposable: true,
      restartSettings: {
        ...(await restartSettings(app, resolved, at.workspace)),
        network: 'restricted',
        policy: defaultPolicy('restricted'),
      },
    });
    const hostConnects = canConnect(probedName, 443, hostTryMs);
    container = await launchPlain(app, { ...wanted, alias: undefined, monitor: undefined });
    const answers = await probeContainer(app, incus, container.name);
    return {
      kind: 'answered',
      ...answers,
      hostConnects: await hostConnects,
      tookMs: Math.round(app.clock.elapsedMs() - begunMs),
    };
  } finally {
    if (container !== undefined) await killContainer(incus, container, AbortSignal.timeout(endMs));
    await removeTreeAt(directory);
  }
}

async function probeContainer(app: AppContext, incus: Incus, container: string) {
  const { bridge } = await (await app.coid()).status({ signal: app.signal });
  const gateway = networkInterfaces()[bridge]?.find(({ family }) => family === 'IPv4')?.address;
  // Something must listen: only then does a failed connection prove that the network guard is active.
  await using listener = gateway === undefined ? undefined : await openListener(gateway);
  const targets = [...forbiddenAddresses, ...(listener ? [`${gateway}:${listener.port}`] : [])];
  const result = await incus.execCaptured(
    container,
    {
      command: ['sh', '-c', guestScript('probe.sh'), 'coi-probe', probedName, ...targets],
      user: 0,
      group: 0,
      input: '',
    },
    { signal: app.signal, timeoutMs: wholeMs },
  );
  const lines = result.stdout.toString('utf8').split('\n');
  const after = (word: string) =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    address: after('address')[0],
    connected: lines.includes('connected'),
    reached: after('reached').filter((address) =>
      forbiddenAddresses.some((one) => one === address),
    ),
    hostReached: listener?.reached(),
  };
}
