// coi image publish: a container becomes an image.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { parseImageAlias } from '../names.ts';
import { meant, updateContainer } from '../session/act.ts';
import { refOf } from '../session/container-ref.ts';
import { incusFailure } from '../session/failure.ts';
import { deleteStopped } from '../session/remove.ts';
import { existingContainer } from './any-container.ts';
import type { GlobalOptions } from './command.ts';
import { stopMeant } from './container-life.ts';

const publishMs = 15 * 60_000;

export async function publish(
  app: App,
  options: GlobalOptions,
  word: string,
  aliasText: string,
  { description, compression }: { description?: string; compression?: string },
): Promise<void> {
  const alias = parseImageAlias(aliasText);
  const { name, status, session, instance } = await existingContainer(app, options, word);
  const incus = await app.incus();
  if (instance.ephemeral)
    throw new CoiError('failed', `container ${name} is ephemeral: it is gone when it stops`, {
      hint: 'Launch it without --ephemeral.',
    });
  const ref = refOf(instance);
  // Else coid deletes an ephemeral session when it stops.
  if (session && !session.persistent)
    await updateContainer(incus, ref, { config: { 'user.coi.persistent': 'true' } });
  if (status !== 'Stopped') await stopMeant(app, ref, status === 'Frozen');
  try {
    await meant(incus, ref, { signal: app.signal });
    const request = {
      instance: name,
      properties: { description: description ?? `${alias}, published by coi` },
      ...(compression === undefined ? {} : { compression }),
    };
    const publication = await incus.publishImage(request, { signal: app.signal });
    const { metadata } = await publication.wait({ signal: app.signal, timeoutMs: publishMs });
    const fingerprint = String(metadata?.['fingerprint'] ?? '');
    await incus.setImageAlias(alias, fingerprint, description ?? '');
    // Publishing takes minutes, in which somebody may have started it again.
    if ((await deleteStopped(incus, ref, app.signal)) === 'runs')
      app.io.warn(`${name} was started meanwhile and is kept`);
    app.io.printJson({ fingerprint, alias });
  } catch (error) {
    throw incusFailure(error, `publishing ${name} failed`);
  }
}
