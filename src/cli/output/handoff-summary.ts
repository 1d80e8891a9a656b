// What of a session's changes the host would run, told when it has ended.
import {
  answeredFindings,
  entriesMax,
  nothingKnown,
  quickEntriesMax,
  sessionsOf,
  unnamedCount,
} from '../../app/handoff/report.ts';
import { counted } from '../../counted.ts';
import { oneLine } from '../../printable.ts';
import {
  handoffLines,
  incompleteLines,
  type NotLookedAt,
  strippedEntry,
  sweepGaps,
} from '../../session/handoff/judge.ts';
import type { App } from '../app.ts';

const shownMax = 10;
const namedMax = 3;

/** A prompt that waits: what can be seen at once, in a line. Never throws. */
export async function tellHandoffShortly(app: App, workspace: string, since: Date): Promise<void> {
  const sessions = (await sessionsOf(app, workspace)) ?? nothingKnown;
  const findings = await answeredFindings(workspace, {
    since,
    sessions,
    thorough: false,
    max: quickEntriesMax,
  });
  const lines = handoffLines(findings);
  tellIncomplete(app, findings.notLookedAt, '');
  if (lines.length === 0) return;
  // A later session has a report of its own: what is not named here may never be.
  const named = lines.slice(0, namedMax).map(({ path }) => oneLine(path));
  const more = lines.length > namedMax ? ` and ${lines.length - namedMax} more` : '';
  app.io.tell(
    `${counted(lines.length, 'changed file')} in ${workspace} that the host may run or obey: ${named.join(', ')}${more}; see \`coi handoff\``,
  );
}

/** A session has ended: says on stderr what of its changes the host would run. Never throws: the end must not fail for it. */
export async function tellHandoff(
  app: App,
  { workspace, container }: { readonly workspace: string; readonly container: string },
): Promise<void> {
  tellLooking(app);
  const sessions = (await sessionsOf(app, workspace, container)) ?? nothingKnown;
  const ended = sessions.sessions.find((session) => session.container === container);
  const own = ended ?? sessions.open.find((session) => session.container === container);
  if (!own)
    return app.io.warn(
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
  if (app.io.live) app.io.overwrite('');
  const mark = app.io.brief ? '' : '[cleanup] ';
  tellIncomplete(app, [...gaps, ...findings.notLookedAt], mark);
  const taken = (ended?.stripped ?? []).flatMap((file) => strippedEntry(workspace, file));
  const all = [...taken, ...handoffLines(findings)];
  const count = all.length + unnamedCount(ended ? [ended] : []);
  if (count === 0) return;
  app.io.tell(
    `${mark}${counted(count, 'changed file')} that the host may run or obey; look before you do:`,
  );
  for (const { path, why } of all.slice(0, shownMax))
    app.io.tell(`${mark}  ${oneLine(path)} - ${oneLine(why)}`);
  if (count > shownMax) app.io.tell(`${mark}  and ${count - shownMax} more: \`coi handoff\``);
}

/** The walk holds everything else up, so nothing could be shown once it turns out to be long. */
function tellLooking({ io }: App): void {
  if (io.brief && io.live)
    io.overwrite(io.storyStyle.dim('Looking at what the session changed...'));
}

function tellIncomplete(app: App, notLookedAt: readonly NotLookedAt[], prefix: string): void {
  const [first, ...others] = incompleteLines(notLookedAt);
  if (first === undefined) return;
  app.io.warn(`${prefix}${first}`);
  for (const line of others) app.io.tell(`${prefix}${oneLine(line)}`);
}
