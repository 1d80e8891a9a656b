// What of a session's changes the host would run, told when it has ended.
import {
  type EndedContainer,
  reportHandoff,
  reportIncomplete,
} from '../../app/handoff/after-session.ts';
import {
  answeredFindings,
  nothingKnown,
  quickEntriesMax,
  sessionsOf,
} from '../../app/handoff/report.ts';
import { counted } from '../../counted.ts';
import { oneLine } from '../../printable.ts';
import { handoffLines } from '../../session/handoff/judge.ts';
import type { App } from '../app.ts';

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
  reportIncomplete(app, findings.notLookedAt, '');
  if (lines.length === 0) return;
  // A later session has a report of its own: what is not named here may never be.
  const named = lines.slice(0, namedMax).map(({ path }) => oneLine(path));
  const more = lines.length > namedMax ? ` and ${lines.length - namedMax} more` : '';
  app.io.tell(
    `${counted(lines.length, 'changed file')} in ${workspace} that the host may run or obey: ${named.join(', ')}${more}; see \`coi handoff\``,
  );
}

/** A session has ended: says on stderr what of its changes the host would run. Never throws: the end must not fail for it. */
export async function tellHandoff(app: App, ended: EndedContainer): Promise<void> {
  const { io } = app;
  tellLooking(app);
  const mark = io.brief ? '' : '[cleanup] ';
  await reportHandoff(app, ended, mark, () => {
    if (io.live) io.overwrite('');
  });
}

/** The walk holds everything else up, so nothing could be shown once it turns out to be long. */
function tellLooking({ io }: App): void {
  if (io.brief && io.live)
    io.overwrite(io.storyStyle.dim('Looking at what the session changed...'));
}
