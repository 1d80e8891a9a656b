// coi migrate: brings configuration files of older versions up to date, after it has shown what that changes.
import type { Command } from 'commander';
import { answeringWorkspace } from '../../../app/answering-workspace.ts';
import {
  carryOut,
  copySuffix,
  pathOf,
  plansFor,
} from '../../../app/configuration-files/migrate-plan.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';

interface Options extends GlobalOptions {
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('--dry-run', 'show what would change, and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what was changed as JSON')
    .addHelpText(
      'after',
      `\nLooks at ~/.coi, at the .coi of the current project, and at the places of versions before 0.8. Each file that is\nchanged is kept beside it as FILE${copySuffix}.\n\nExit status: 0 if nothing is left to do, 1 if something is left to you or nothing could be asked.`,
    )
    .action(() => migrate(app, flagsOf<Options>(command)));
}

async function migrate(app: App, options: Options): Promise<void> {
  const plans = plansFor(app, answeringWorkspace(app, options.workspace));
  const changed = plans.filter(({ changes }) => changes.length > 0);
  const byHand = plans.filter((plan) => plan.byHand.length > 0);
  const say = options.json ? app.io.tell : app.io.print;
  if (plans.length === 0) say('Nothing to do: no file of an older version was found.');
  for (const { from, changes, byHand: left } of plans) {
    const lines = [...changes, ...left.map((line) => `${line} (left to you)`)];
    say([`${oneLine(pathOf(from))}:`, ...lines.map((line) => `  ${oneLine(line)}`)].join('\n'));
  }
  const isDone = changed.length > 0 && !options.dryRun && (await isWanted(app, options));
  if (isDone)
    for (const plan of changed) {
      carryOut(app, plan);
      say(
        oneLine(
          `Changed ${pathOf(plan.to)}; the old file is kept as ${pathOf(plan.from)}${copySuffix}`,
        ),
      );
    }
  if (options.json)
    app.io.printJson(
      plans.map(({ from, to, changes, byHand: left }) => ({
        path: pathOf(from),
        to: pathOf(to),
        changes,
        by_hand: left,
        changed: isDone && changes.length > 0,
      })),
    );
  if (byHand.length === 0) return;
  app.io.warn(
    'what is marked "left to you" above is to be done by hand; until then this exits with 1',
  );
  throw new ExitStatus(1);
}

async function isWanted(app: App, { yes }: Options): Promise<boolean> {
  if (yes) return true;
  if (!app.io.interactive)
    throw new CoiError('failed', 'nothing was changed: there is no terminal to ask on', {
      hint: 'Look at what is listed above, then `coi migrate --yes`.',
    });
  if (await app.io.confirm('Change these files?')) return true;
  app.io.tell('Cancelled.');
  return false;
}
