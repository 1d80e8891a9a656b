// Ports of the host that lead into a session that runs: opened and taken away.
import { isLocalPortFree } from '../../host/net/free-port.ts';
import { keys } from '../../instance-keys.ts';
import { incusFailure, isIncusError } from '../../session/lifecycle/incus-failure.ts';
import { portNamed, withPort } from '../../session/plan/live-ports.ts';
import type { Forwarding } from '../../session/plan/ports.ts';
import { portDevice, portDevices, recordedPorts } from '../../session/plan/ports.ts';
import { meant, replaceContainer, updateContainer } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { reachable } from '../session-spec/forwards.ts';
import { portsOf, taken } from './port-in-use.ts';

export async function addPort(
  app: AppContext,
  container: Container,
  asked: Forwarding,
): Promise<void> {
  const { name } = container;
  withPort(portsOf(container), asked);
  if (!(await isLocalPortFree(asked.host))) throw await taken(app, container, asked);
  const incus = await app.incus();
  const options = { signal: app.signal, timeoutMs: limitMs };
  const ref = refOf(container.instance);
  try {
    // Before it is open: what fails afterwards would leave a port that nobody was told of.
    await meant(incus, ref, options);
    await reachable(incus, name, app.signal);
    await updateContainer(
      incus,
      ref,
      ({ config }) => ({
        devices: portDevices([asked]),
        config: {
          [keys.ports]: JSON.stringify(withPort(recordedPorts(config[keys.ports]), asked)),
        },
      }),
      options,
    );
  } catch (error) {
    if (wasTaken(error) && !(await isLocalPortFree(asked.host)))
      throw await taken(app, container, asked, error);
    throw incusFailure(error, `forwarding port ${asked.host} failed`);
  }
}

/** Returns the one that was meant. */
export async function removePort(
  app: AppContext,
  container: Container,
  word: string,
): Promise<Forwarding> {
  const { instance } = container;
  const gone = portNamed(portsOf(container), word);
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
    throw incusFailure(error, `taking port ${gone.host} away failed`);
  }
  return gone;
}

/** Somebody was faster: Incus says what its listener met. After a lost call the port may be in use by this very session. */
function wasTaken(error: unknown): boolean {
  return isIncusError(error) && error.status !== 0 && /address already in use/i.test(error.message);
}

const limitMs = 60_000;
