// Summary at the end of a session: its changes that the host might execute.
import {
  type EndedContainer,
  reportHandoff,
  reportIncomplete,
} from '../../app/handoff/after-session.ts';
import {
  boundedFindings,
  knownSessions,
  noSessions,
  quickEntriesMax,
} from '../../app/handoff/report.ts';
import { pluralize } from '../../pluralize.ts';
import { oneLine } from '../../printable.ts';
import { handoffLines } from '../../session/handoff/findings.ts';
import type { App } from '../app.ts';

const namedMax = 3;

/** Reports quickly visible changes in one line, because the user waits for the prompt. Never throws. */
export async function reportHandoffBriefly(
  app: App,
  workspace: string,
  since: Date,
): Promise<void> {
  const sessions = (await knownSessions(app, workspace)) ?? noSessions;
  const findings = await boundedFindings(workspace, {
    since,
    sessions,
    thorough: false,
    max: quickEntriesMax,
  });
  const lines = handoffLines(findings);
  reportIncomplete(app, findings.notLookedAt, '');
  if (lines.length === 0) return;
  // A later session has its own report, so a change that is not named here may never be reported.
  const named = lines.slice(0, namedMax).map(({ path }) => oneLine(path));
  const more = lines.length > namedMax ? ` and ${lines.length - namedMax} more` : '';
  app.io.info(
    `${pluralize(lines.length, 'changed file')} in ${workspace} that the host might execute: ${named.join(', ')}${more}; see \`coi handoff\``,
  );
}

/** Reports changes of an ended session that the host might execute, on stderr. Never throws: the end must not fail. */
export async function reportHandoffOf(app: App, ended: EndedContainer): Promise<void> {
  const { io } = app;
  showChecking(app);
  const mark = io.briefStderr ? '' : '[cleanup] ';
  await reportHandoff(app, ended, mark, () => {
    if (io.canOverwrite) io.overwrite('');
  });
}

/** Shown in advance: the walk over the workspace blocks the event loop. */
function showChecking({ io }: App): void {
  if (io.briefStderr && io.canOverwrite)
    io.overwrite(io.stderrStyle.dim('Checking what the session changed...'));
}
