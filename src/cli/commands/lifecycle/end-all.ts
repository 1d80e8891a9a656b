// Ends several containers and reports the outcomes.
import { CoiError } from '../../../errors.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { noTool } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import { resumeCommandOf } from '../../output/resume-command.ts';
import type { EndOptions, EndWording } from './end-wording.ts';

/** Ends all of them in parallel and reports each outcome. Throws `failed` if none could be ended. */
export async function endAll(
  app: App,
  { json = false }: Pick<EndOptions, 'json'>,
  containers: readonly Container[],
  wording: EndWording,
  end: (container: Container) => Promise<unknown>,
): Promise<void> {
  const brief = app.io.briefStdout && !json;
  const progress = app.progress();
  // Without a terminal each container has its own lines.
  if (brief && app.io.canOverwrite)
    progress.update({
      kind: 'started',
      name: wording.verb,
      title: progressTitle(containers, wording),
    });
  const ends = containers.map(async (container) => {
    try {
      await end(container);
      if (!json) app.io.print(doneLine(app, container, wording));
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
  if (done.length === 0) throw noneEndedError(wording);
  if (json) app.io.printJson({ done, failed: those(false) });
  else if (!brief) app.io.print(`\n${wording.done} ${done.length} container(s)`);
}

function progressTitle(containers: readonly Container[], { doing }: EndWording): string {
  const [only] = containers;
  return `${doing} ${only && containers.length === 1 ? only.name : `${containers.length} containers`}`;
}

function doneLine(
  app: App,
  { name, session }: Container,
  { done, brief, ends }: EndWording,
): string {
  if (!app.io.briefStdout) return `✓ ${done} ${name}`;
  const isOwn = session?.owner === app.user.uid;
  if (!ends || !session || !isOwn || session.tool === noTool) return brief(name);
  return `${brief(name)}; resume: ${resumeCommandOf(app, session)}`;
}

export function noneEndedError({ past }: EndWording): CoiError {
  return new CoiError('failed', `no container was ${past}`, {
    hint: 'Run `coi list` to see your sessions.',
  });
}
