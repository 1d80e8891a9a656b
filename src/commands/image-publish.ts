// coi image publish: a container becomes an image.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { parseImageAlias } from '../names.ts';
import { incusFailure } from '../session/failure.ts';
import { killContainer } from '../session/remove.ts';
import { existingContainer } from './any-container.ts';
import type { GlobalOptions } from './command.ts';
import { stop } from './container-life.ts';

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
  if (instance.ephemeral)
    throw new CoiError('failed', `container ${name} is ephemeral: it is gone when it stops`, {
      hint: 'Launch it without --ephemeral.',
    });
  // Else coid deletes an ephemeral session when it stops.
  if (session && !session.persistent)
    await (await app.incus()).updateInstance(name, { config: { 'user.coi.persistent': 'true' } });
  if (status !== 'Stopped') await stop(app, options, name, status === 'Frozen');
  const incus = await app.incus();
  try {
    const request = {
      instance: name,
      properties: { description: description ?? `${alias}, published by coi` },
      ...(compression === undefined ? {} : { compression }),
    };
    const publication = await incus.publishImage(request, { signal: app.signal });
    const { metadata } = await publication.wait({ signal: app.signal, timeoutMs: publishMs });
    const fingerprint = String(metadata?.['fingerprint'] ?? '');
    await incus.setImageAlias(alias, fingerprint, description ?? '');
    await killContainer(incus, name, app.signal);
    app.io.printJson({ fingerprint, alias });
  } catch (error) {
    throw incusFailure(error, `publishing ${name} failed`);
  }
}
