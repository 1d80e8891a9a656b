// Reads and writes the hosts file of a container.
import { CoiError } from '../../errors.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { getByRef } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

const limitMs = 20_000;

export async function readHostsFile(app: AppContext, container: Container): Promise<string> {
  const { stdout } = await asRoot(app, container, ['cat', '/etc/hosts'], '');
  return stdout;
}

/** Writes into the existing file instead of replacing it: Incus or Docker may have mounted it. */
export async function writeHostsFile(
  app: AppContext,
  container: Container,
  text: string,
): Promise<void> {
  await asRoot(app, container, ['sh', '-c', 'cat >/etc/hosts'], text);
}

async function asRoot(
  app: AppContext,
  { name, instance }: Container,
  command: readonly string[],
  input: string,
): Promise<{ stdout: string }> {
  try {
    const incus = await app.incus();
    const options = { signal: app.signal, timeoutMs: limitMs };
    await getByRef(incus, refOf(instance), options);
    const result = await incus.execCaptured(name, { command, user: 0, group: 0, input }, options);
    if (result.status !== 0)
      throw new CoiError('failed', `/etc/hosts of ${name} cannot be changed`);
    return { stdout: result.stdout.toString('utf8') };
  } catch (error) {
    throw incusFailure(error, `reading /etc/hosts of ${name} failed`);
  }
}
