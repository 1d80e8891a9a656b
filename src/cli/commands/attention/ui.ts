// `coi ui`: the overview of all sessions, on the whole terminal.
import type { Command } from 'commander';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { runOverview } from '../../overview/run.ts';
import { requireTerminal } from '../../require-terminal.ts';

export function register(command: Command, app: App): void {
  command
    .addHelpText(
      'after',
      `
Sessions that wait for you come first. The selected one shows its question in full, its last words and its screen; numbers, y
and n answer the question, Enter attaches. Press ? for all keys.`,
    )
    .action(() => ui(app, mergedOptions<GlobalOptions>(command)));
}

async function ui(app: App, options: GlobalOptions): Promise<void> {
  requireTerminal(app, 'coi ui');
  if (app.env['TERM'] === 'dumb')
    throw new CoiError('no-terminal', 'this terminal cannot move its cursor (TERM=dumb)', {
      hint: 'Run `coi list --watch` instead.',
    });
  await runOverview(app, options);
}
