// Deletes a container.
import { CoiError } from '../../errors.ts';
import { deleteStopped, killContainer } from '../../session/lifecycle/end-container.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { freeing } from '../end-sessions/free-stuck.ts';

/** Throws `failed` for one that is not stopped, unless by force. */
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
          freeing(app),
        );
  if (ended === 'runs')
    throw new CoiError(
      'failed',
      `container ${name} is not stopped${status === 'Stopped' ? ' any more' : ` (${status})`}`,
      { hint: 'Stop it first, or add --force.' },
    );
}
