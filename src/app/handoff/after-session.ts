// What of a session's changes the host would run, reported when it has ended.
import { counted } from '../../counted.ts';
import { oneLine } from '../../printable.ts';
import {
  handoffLines,
  incompleteLines,
  type NotLookedAt,
  strippedEntry,
  sweepGaps,
} from '../../session/handoff/judge.ts';
import type { AppContext } from '../context.ts';
import { answeredFindings, entriesMax, nothingKnown, sessionsOf, unnamedCount } from './report.ts';

const shownMax = 10;

export interface EndedContainer {
  readonly workspace: string;
  readonly container: string;
}

/** `mark` begins each line; `looked` is called before the first. Never throws: the end must not fail for it. */
export async function reportHandoff(
  app: AppContext,
  { workspace, container }: EndedContainer,
  mark: string,
  looked: () => void = () => {},
): Promise<void> {
  const sessions = (await sessionsOf(app, workspace, container)) ?? nothingKnown;
  const ended = sessions.sessions.find((session) => session.container === container);
  const own = ended ?? sessions.open.find((session) => session.container === container);
  if (!own)
    return app.report.warn(
      'what the session changed was not looked at, since coid does not say when it began; see `coi handoff --since`',
    );
  const findings = await answeredFindings(workspace, {
    since: new Date(own.startedAt),
    sessions,
    // coid has looked for set-id files.
    thorough: false,
    max: entriesMax,
  });
  const gaps = sweepGaps(ended ? [ended] : []);
  looked();
  reportIncomplete(app, [...gaps, ...findings.notLookedAt], mark);
  const taken = (ended?.stripped ?? []).flatMap((file) => strippedEntry(workspace, file));
  const all = [...taken, ...handoffLines(findings)];
  const count = all.length + unnamedCount(ended ? [ended] : []);
  if (count === 0) return;
  app.report.info(
    `${mark}${counted(count, 'changed file')} that the host may run or obey; look before you do:`,
  );
  for (const { path, why } of all.slice(0, shownMax))
    app.report.info(`${mark}  ${oneLine(path)} - ${oneLine(why)}`);
  if (count > shownMax) app.report.info(`${mark}  and ${count - shownMax} more: \`coi handoff\``);
}

export function reportIncomplete(
  app: AppContext,
  notLookedAt: readonly NotLookedAt[],
  prefix: string,
): void {
  const [first, ...others] = incompleteLines(notLookedAt);
  if (first === undefined) return;
  app.report.warn(`${prefix}${first}`);
  for (const line of others) app.report.info(`${prefix}${oneLine(line)}`);
}
