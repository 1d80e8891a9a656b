// How the end of several containers is told.
import { CoiError } from '../../../errors.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { noTool } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import { resumeWords } from '../../output/resume-command.ts';
import type { EndOptions, EndWords } from './end-words.ts';

/** Ends all at once and says how each went. Throws `failed` if none could be ended. */
export async function endAll(
  app: App,
  { json = false }: Pick<EndOptions, 'json'>,
  containers: readonly Container[],
  words: EndWords,
  end: (container: Container) => Promise<unknown>,
): Promise<void> {
  const brief = app.io.briefAnswer && !json;
  const progress = app.progress();
  // Without a terminal the lines of each container tell it.
  if (brief && app.io.live)
    progress.tell({ kind: 'started', name: words.verb, title: doingTitle(containers, words) });
  const ends = containers.map(async (container) => {
    try {
      await end(container);
      if (!json) app.io.print(doneLine(app, container, words));
      return true;
    } catch (error) {
      if (!(error instanceof CoiError) || app.signal.aborted) throw error;
      app.io.warn(`${container.name}: ${error.message}`);
      return false;
    }
  });
  const outcomes = await Promise.all(ends).finally(progress.clear);
  const those = (ended: boolean) =>
    containers.filter((_, at) => outcomes[at] === ended).map(({ name }) => name);
  const done = those(true);
  if (done.length === 0) throw nothingDone(words);
  if (json) app.io.printJson({ done, failed: those(false) });
  else if (!brief) app.io.print(`\n${words.done} ${done.length} container(s)`);
}

function doingTitle(containers: readonly Container[], { doing }: EndWords): string {
  const [only] = containers;
  return `${doing} ${only && containers.length === 1 ? only.name : `${containers.length} containers`}`;
}

function doneLine(app: App, { name, session }: Container, { done, brief, ends }: EndWords): string {
  if (!app.io.briefAnswer) return `✓ ${done} ${name}`;
  const isOwn = session?.owner === app.user.uid;
  if (!ends || !session || !isOwn || session.tool === noTool) return brief(name);
  return `${brief(name)}; resume: ${resumeWords(app, session)}`;
}

export function nothingDone({ past }: EndWords): CoiError {
  return new CoiError('failed', `no container was ${past}`, {
    hint: 'Run `coi list` to see your sessions.',
  });
}
