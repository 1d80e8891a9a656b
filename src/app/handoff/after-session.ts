// Reports the changes of an ended session that the host might execute.
import { pluralize } from '../../pluralize.ts';
import { oneLine } from '../../printable.ts';
import {
  handoffLines,
  incompleteLines,
  strippedEntry,
  type UncheckedPath,
  uncheckedBySweep,
} from '../../session/handoff/findings.ts';
import type { AppContext } from '../context.ts';
import { boundedFindings, entriesMax, knownSessions, noSessions, unnamedCount } from './report.ts';

const shownMax = 10;

export interface EndedContainer {
  readonly workspace: string;
  readonly container: string;
}

/** `mark` begins each line; `looked` is called when the check is done. Never throws, so that the end does not fail. */
export async function reportHandoff(
  app: AppContext,
  { workspace, container }: EndedContainer,
  mark: string,
  looked: () => void = () => {},
): Promise<void> {
  const sessions = (await knownSessions(app, workspace, container)) ?? noSessions;
  const ended = sessions.sessions.find((session) => session.container === container);
  const own = ended ?? sessions.open.find((session) => session.container === container);
  if (!own)
    return app.report.warn(
      'the changes of the session were not checked, because coid does not know when it started; run `coi handoff --since`',
    );
  const findings = await boundedFindings(workspace, {
    since: new Date(own.startedAt),
    sessions,
    // coid has checked for set-id files.
    thorough: false,
    max: entriesMax,
  });
  const gaps = uncheckedBySweep(ended ? [ended] : []);
  looked();
  reportIncomplete(app, [...gaps, ...findings.notLookedAt], mark);
  const stripped = (ended?.stripped ?? []).flatMap((file) => strippedEntry(workspace, file));
  const all = [...stripped, ...handoffLines(findings)];
  const count = all.length + unnamedCount(ended ? [ended] : []);
  if (count === 0) return;
  app.report.info(
    `${mark}${pluralize(count, 'changed file')} that the host might execute; review them first:`,
  );
  for (const { path, why } of all.slice(0, shownMax))
    app.report.info(`${mark}  ${oneLine(path)} - ${oneLine(why)}`);
  if (count > shownMax) app.report.info(`${mark}  and ${count - shownMax} more: \`coi handoff\``);
}

export function reportIncomplete(
  app: AppContext,
  notLookedAt: readonly UncheckedPath[],
  prefix: string,
): void {
  const [first, ...others] = incompleteLines(notLookedAt);
  if (first === undefined) return;
  app.report.warn(`${prefix}${first}`);
  for (const line of others) app.report.info(`${prefix}${oneLine(line)}`);
}
