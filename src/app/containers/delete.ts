// Deletes a container.
import { CoiError } from '../../errors.ts';
import { deleteStopped, killContainer } from '../../session/lifecycle/end-container.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { freeWithCoid } from '../end-sessions/free-stuck.ts';

/** Throws `failed` if it is not stopped, unless forced. */
export async function deleteContainer(
  app: AppContext,
  { name, status, instance }: Container,
  force: boolean,
): Promise<void> {
  const incus = await app.incus();
  const ended =
    status !== 'Stopped' && !force
      ? 'runs'
      : await (force ? killContainer : deleteStopped)(
          incus,
          refOf(instance),
          app.signal,
          freeWithCoid(app),
        );
  if (ended === 'runs')
    throw new CoiError(
      'failed',
      `container ${name} is not stopped${status === 'Stopped' ? ' any more' : ` (${status})`}`,
      { hint: 'Stop it first, or add --force.' },
    );
}
