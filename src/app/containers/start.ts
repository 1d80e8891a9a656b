// Starts a container that is stopped.
import { randomUUID } from 'node:crypto';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { recursiveDevices } from '../../session/lifecycle/refresh.ts';
import { changeState, updateContainer } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

const startMs = 120_000;
/** Timeout for Incus. */
const startSeconds = 60;

/** Creates the mounts of a session first: they do not survive a reboot of the host. */
export async function startContainer(
  app: AppContext,
  { name, session, status, instance }: Container,
): Promise<'started' | 'ran-already'> {
  if (status === 'Running') return 'ran-already';
  try {
    if (session) {
      const { id } = session.mounts;
      const start = { id, startId: randomUUID() };
      const made = await (await app.coid()).remount(name, start, { signal: app.signal });
      const devices = recursiveDevices(instance.devices, made);
      if (Object.keys(devices).length > 0)
        await updateContainer(
          await app.incus(),
          refOf(instance),
          { devices },
          { signal: app.signal },
        );
    }
    const change = { action: 'start', timeout: startSeconds } as const;
    const incus = await app.incus();
    const starting = await changeState(incus, refOf(instance), change, { signal: app.signal });
    await starting.wait({ signal: app.signal, timeoutMs: startMs });
  } catch (error) {
    throw incusFailure(error, `starting ${name} failed`);
  }
  return 'started';
}
