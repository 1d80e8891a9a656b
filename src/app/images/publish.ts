// coi image publish: turns a container into an image.
import { CoiError } from '../../errors.ts';
import { keys } from '../../instance-keys.ts';
import { parseImageAlias } from '../../names.ts';
import { deleteStopped } from '../../session/lifecycle/end-container.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { getByRef, updateContainer } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';
import { stopByRef } from '../end-sessions/stop-container.ts';
import type { OwnerScope } from '../requests.ts';
import { existingContainer } from '../targets/container-by-name.ts';

const publishMs = 15 * 60_000;

export async function publish(
  app: AppContext,
  scope: OwnerScope,
  word: string,
  aliasText: string,
  { description, compression }: { description?: string; compression?: string },
): Promise<{ readonly fingerprint: string; readonly alias: string }> {
  const alias = parseImageAlias(aliasText);
  const { name, status, session, instance } = await existingContainer(app, scope, word);
  const incus = await app.incus();
  if (instance.ephemeral)
    throw new CoiError('failed', `container ${name} is ephemeral: it is deleted when it stops`, {
      hint: 'Launch it without --ephemeral.',
    });
  const ref = refOf(instance);
  // Otherwise coid deletes an ephemeral session when it stops.
  if (session && !session.persistent)
    await updateContainer(incus, ref, { config: { [keys.persistent]: 'true' } });
  if (status !== 'Stopped') await stopByRef(app, ref, status === 'Frozen');
  try {
    await getByRef(incus, ref, { signal: app.signal });
    const request = {
      instance: name,
      properties: { description: description ?? `${alias}, published by coi` },
      ...(compression === undefined ? {} : { compression }),
    };
    const publication = await incus.publishImage(request, { signal: app.signal });
    const { metadata } = await publication.wait({ signal: app.signal, timeoutMs: publishMs });
    const fingerprint = String(metadata?.['fingerprint'] ?? '');
    await incus.setImageAlias(alias, fingerprint, description ?? '');
    // The container may have been started again while it was published, which takes minutes.
    if ((await deleteStopped(incus, ref, app.signal)) === 'runs')
      app.report.warn(`${name} was started meanwhile and is kept`);
    return { fingerprint, alias };
  } catch (error) {
    throw incusFailure(error, `publishing ${name} failed`);
  }
}
