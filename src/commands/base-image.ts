// The image that a build starts from: one of this host, or one of an Incus remote, which Incus's own program fetches: it
// knows the user's remotes, what they trust and how they log in there.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { runCommand } from '../host/command.ts';
import { isRemoteImage } from '../image/custom.ts';
import type { Incus } from '../incus/client.ts';
import { type ImageAlias, quoted } from '../names.ts';
import { isIncusError } from '../session/failure.ts';
import { imageMissing } from '../session/launch.ts';
import { oneLine } from '../ui/printable.ts';
import { stepProgress } from '../ui/progress.ts';

/** Some hundred megabytes, over any line. */
const fetchMs = 60 * 60_000;

/**
 * Fingerprint of the image. One of a remote is kept here by its whole name, so that it is fetched once: `again` asks the
 * remote anew. Throws `image-missing`.
 */
export async function baseImage(app: App, base: ImageAlias, again: boolean): Promise<string> {
  const incus = await app.incus();
  const here = await imageHere(app, incus, base.replace(/^local:/, ''));
  if (!isRemoteImage(base)) {
    if (here === undefined) throw imageMissing(base);
    return here;
  }
  if (here !== undefined && !again) return here;
  const problem = await fetched(app, base);
  const after = (await incus.imageAlias(base, { signal: app.signal }))?.target;
  if (problem === undefined && after !== undefined) return after;
  const message = `image ${quoted(base)} cannot be fetched: ${problem ?? 'Incus names no image so'}`;
  // What is here already is good enough for a build without a network.
  if (here !== undefined) {
    app.io.warn(`${message}; the build goes on with the one that is here`);
    return here;
  }
  throw new CoiError('image-missing', message, {
    hint: `Without a way there: \`incus image import FILE --alias local:${base}\` takes one that you bring, or set base to an image of \`coi image list --all\`.`,
  });
}

/** By its alias, or by the beginning of its fingerprint. */
async function imageHere(app: App, incus: Incus, name: string): Promise<string | undefined> {
  const { signal } = app;
  const target = (await incus.imageAlias(name, { signal }))?.target;
  if (target !== undefined || !/^[0-9a-f]{12,64}$/.test(name)) return target;
  try {
    return (await incus.image(name, { signal }))?.fingerprint;
  } catch (error) {
    if (!isIncusError(error) || error.status === 0) throw error;
    throw new CoiError('usage', `more than one image begins with ${name}`, {
      hint: 'Write more of the fingerprint.',
      cause: error,
    });
  }
}

/** What went wrong, as Incus says it; undefined if the image is there now. */
async function fetched(app: App, base: ImageAlias): Promise<string | undefined> {
  const progress = stepProgress(app.io);
  progress.tell({ kind: 'started', name: 'fetch', title: `Fetching ${base}` });
  const said: string[] = [];
  try {
    const { status } = await runCommand(
      [
        'incus',
        '--quiet',
        'image',
        'copy',
        base,
        'local:',
        '--alias',
        base,
        '--target-project',
        'default',
      ],
      {
        env: { LC_ALL: 'C', LANGUAGE: '' },
        signal: app.signal,
        timeoutMs: fetchMs,
        onLine: (line) => said.push(line),
      },
    );
    if (status === 0) return undefined;
    const last = said.findLast((line) => line.trim() !== '')?.replace(/^Error: /, '');
    return last === undefined ? 'the program incus cannot be run' : oneLine(last);
  } finally {
    progress.clear();
  }
}
