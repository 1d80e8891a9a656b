// The base image of a build: one of this host, or one of an Incus remote. The program `incus` fetches the latter, because
// it knows the user's remotes, certificates and logins.
import { CoiError } from '../../errors.ts';
import { runCommand } from '../../host/process/run-command.ts';
import type { Incus } from '../../incus/client.ts';
import { type ImageAlias, quoted } from '../../names.ts';
import { oneLine } from '../../printable.ts';
import { isIncusError } from '../../session/lifecycle/incus-failure.ts';
import { imageMissing } from '../../session/lifecycle/launch.ts';
import { isRemoteImage } from '../../session/record/image-source.ts';
import type { AppContext } from '../context.ts';

/** Some hundred megabytes, over any connection. */
const fetchMs = 60 * 60_000;

/**
 * Fingerprint of the image. A remote image is stored under its full name, so that it is fetched once; `again` makes
 * Incus check for a newer one. Throws `image-missing`.
 */
export async function baseImage(
  app: AppContext,
  base: ImageAlias,
  again: boolean,
): Promise<string> {
  const incus = await app.incus();
  const here = await findLocal(app, incus, base.replace(/^local:/, ''));
  if (!isRemoteImage(base)) {
    if (here === undefined) throw imageMissing(base);
    return here;
  }
  if (here !== undefined && again) await refreshImage(app, incus, base, here);
  else if (here === undefined) await fetchImage(app, base);
  const now = (await incus.imageAlias(base, { signal: app.signal }))?.target;
  if (now !== undefined) return now;
  throw notFetched(base, 'Incus has no image of that name afterwards');
}

/** By the beginning of its fingerprint, which no alias can shadow, or by its alias. */
async function findLocal(app: AppContext, incus: Incus, name: string): Promise<string | undefined> {
  const { signal } = app;
  const byAlias = async () => (await incus.imageAlias(name, { signal }))?.target;
  if (!/^[0-9a-f]{12,64}$/.test(name)) return byAlias();
  try {
    return (await incus.image(name, { signal }))?.fingerprint ?? (await byAlias());
  } catch (error) {
    if (!isIncusError(error) || error.status === 0) throw error;
    throw new CoiError('usage', `more than one image begins with ${name}`, {
      hint: 'Write more of the fingerprint.',
      cause: error,
    });
  }
}

/** Failures are only warnings: without a network, the local image is good enough. */
async function refreshImage(
  app: AppContext,
  incus: Incus,
  base: ImageAlias,
  here: string,
): Promise<void> {
  const { signal } = app;
  const progress = app.progress();
  progress.update({ kind: 'started', name: 'fetch', title: `Checking for a newer ${base}` });
  try {
    await (await incus.refreshImage(here, { signal })).wait({ signal, timeoutMs: fetchMs });
  } catch (error) {
    if (!isIncusError(error)) throw error;
    progress.clear();
    app.report.warn(`no newer ${base} could be fetched: ${oneLine(error.message)}`);
  } finally {
    progress.clear();
  }
}

async function fetchImage(app: AppContext, base: ImageAlias): Promise<void> {
  const progress = app.progress();
  progress.update({ kind: 'started', name: 'fetch', title: `Fetching ${base}` });
  const output: string[] = [];
  try {
    const to = ['local:', '--alias', base, '--target-project', 'default'];
    const { status } = await runCommand(['incus', '--quiet', 'image', 'copy', base, ...to], {
      env: { LC_ALL: 'C', LANGUAGE: '' },
      signal: app.signal,
      timeoutMs: fetchMs,
      // On SIGINT it also ends the download, which runs in the Incus server.
      endWith: 'SIGINT',
      onLine: (line) => output.push(line),
    });
    if (status === 0) return;
    const last = output.findLast((line) => line.trim() !== '')?.replace(/^Error: /, '');
    throw notFetched(base, last === undefined ? 'the incus program cannot be run' : oneLine(last));
  } finally {
    progress.clear();
  }
}

function notFetched(base: ImageAlias, why: string): CoiError {
  return new CoiError('image-missing', `image ${quoted(base)} cannot be fetched: ${why}`, {
    hint: `If the remote is unreachable, import an image file with \`incus image import FILE --alias ${base}\`, or set base to an image of this host (\`coi image list --all\`).`,
  });
}
