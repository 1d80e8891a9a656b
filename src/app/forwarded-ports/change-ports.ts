// Adds and removes forwarded ports of a running session.
import { isLocalPortFree } from '../../host/net/free-port.ts';
import { keys } from '../../instance-keys.ts';
import { incusFailure, isIncusError } from '../../session/lifecycle/incus-failure.ts';
import { addPort, findPort } from '../../session/plan/live-ports.ts';
import type { Forwarding } from '../../session/plan/ports.ts';
import { portDevice, portDevices, recordedPorts } from '../../session/plan/ports.ts';
import {
  getByRef,
  replaceContainer,
  updateContainer,
} from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { mapLocalhost } from '../session-spec/forwards.ts';
import { portInUse, portsOf } from './port-in-use.ts';

export async function forwardPort(
  app: AppContext,
  container: Container,
  asked: Forwarding,
): Promise<void> {
  const { name } = container;
  addPort(portsOf(container), asked);
  if (!(await isLocalPortFree(asked.host))) throw await portInUse(app, container, asked);
  const incus = await app.incus();
  const options = { signal: app.signal, timeoutMs: limitMs };
  const ref = refOf(container.instance);
  try {
    // Before the port is open: a later failure would leave an open port that was not reported.
    await getByRef(incus, ref, options);
    await mapLocalhost(incus, name, app.signal);
    await updateContainer(
      incus,
      ref,
      ({ config }) => ({
        devices: portDevices([asked]),
        config: {
          [keys.ports]: JSON.stringify(addPort(recordedPorts(config[keys.ports]), asked)),
        },
      }),
      options,
    );
  } catch (error) {
    if (wasTaken(error) && !(await isLocalPortFree(asked.host)))
      throw await portInUse(app, container, asked, error);
    throw incusFailure(error, `forwarding port ${asked.host} failed`);
  }
}

/** Returns the removed port. */
export async function removePort(
  app: AppContext,
  container: Container,
  word: string,
): Promise<Forwarding> {
  const { instance } = container;
  const gone = findPort(portsOf(container), word);
  try {
    await replaceContainer(
      await app.incus(),
      refOf(instance),
      (now) => {
        const { [portDevice(gone)]: _, ...devices } = now.devices;
        const left = recordedPorts(now.config[keys.ports]).filter(({ host }) => host !== gone.host);
        return { ...now, devices, config: { ...now.config, [keys.ports]: JSON.stringify(left) } };
      },
      { signal: app.signal, timeoutMs: limitMs },
    );
  } catch (error) {
    throw incusFailure(error, `removing port ${gone.host} failed`);
  }
  return gone;
}

/** Another listener was faster, as Incus reports. After a lost call the port may be in use by this session itself. */
function wasTaken(error: unknown): boolean {
  return isIncusError(error) && error.status !== 0 && /address already in use/i.test(error.message);
}

const limitMs = 60_000;
