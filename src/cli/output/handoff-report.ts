// What `coi handoff` found, for people.
import { oneLine } from '../../printable.ts';
import type { HandoffEntry, HandoffFindings } from '../../session/handoff/judge.ts';
import { handoffLines, incompleteLines } from '../../session/handoff/judge.ts';
import type { App } from '../app.ts';
import { table } from '../ui/table.ts';

/** For people. */
export function tellReport(
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
    app.io.print(
      `and ${unnamed} more that had setuid, setgid or capabilities, which coi took away`,
    );
  else if (notLookedAt.length === 0 && lines.length === 0)
    app.io.print(`Nothing that the host would run changed since ${since.toLocaleString('sv-SE')}.`);
  for (const { path, changed } of installed)
    app.io.print(
      `Installed or built in ${oneLine(path)}: ${changed} changed files, which tests, builds and editors may run.`,
    );
}
