// The findings of `coi handoff`, as text.
import { oneLine } from '../../printable.ts';
import type { HandoffEntry, HandoffFindings } from '../../session/handoff/findings.ts';
import { handoffLines, incompleteLines } from '../../session/handoff/findings.ts';
import type { App } from '../app.ts';
import { table } from '../ui/table.ts';

export function printHandoff(
  app: App,
  {
    notLookedAt,
    installed,
    since,
    unnamed,
    stripped,
    ...findings
  }: HandoffFindings & {
    readonly since: Date;
    readonly unnamed: number;
    readonly stripped: readonly HandoffEntry[];
  },
): void {
  const lines = [...stripped, ...handoffLines({ ...findings, notLookedAt, installed })];
  const [first, ...others] = incompleteLines(notLookedAt);
  if (first !== undefined) app.io.print([`Warning: ${first}`, ...others.map(oneLine)].join('\n'));
  if (lines.length > 0)
    app.io.print(
      table(
        ['FILE', 'WHY'],
        lines.map(({ path, why }) => [oneLine(path), oneLine(why)]),
      ).join('\n'),
    );
  if (unnamed > 0)
    app.io.print(`and ${unnamed} more that had setuid, setgid or capabilities, which coi removed`);
  else if (notLookedAt.length === 0 && lines.length === 0)
    app.io.print(`No changes that the host might execute since ${since.toLocaleString('sv-SE')}.`);
  for (const { path, changed } of installed)
    app.io.print(
      `Installed or built in ${oneLine(path)}: ${changed} changed files, which tests, builds and editors may run.`,
    );
}
