// coi validate: checks configuration without using it.
import type { Command } from 'commander';
import { everything, one, type Verdict } from '../../../app/configuration-files/validate.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { formatted, wantsJson } from '../../format-option.ts';
import { flagsOf } from '../../global-options.ts';

interface Options extends GlobalOptions {
  format?: 'text' | 'json';
  json?: boolean;
}

export function register(command: Command, app: App): void {
  formatted(command)
    .argument('[kind]', 'what it is: profile or config (default: everything that is in force here)')
    .argument('[file-or-name]', 'a file, or the name of a profile')
    .action((kind: string | undefined, target: string | undefined) =>
      validate(app, flagsOf<Options>(command), kind, target),
    );
}

async function validate(
  app: App,
  options: Options,
  kind: string | undefined,
  target: string | undefined,
): Promise<void> {
  if (kind !== undefined && kind !== 'profile' && kind !== 'config')
    throw new CoiError('usage', `there is no ${quoted(kind)} to validate`, {
      hint: 'profile or config, for example: coi validate profile ./config.toml',
    });
  const verdicts =
    kind === undefined || target === undefined
      ? await everything(app, options, kind)
      : [await one(app, options, kind, target)];
  if (wantsJson(options)) app.io.printJson(verdicts);
  else for (const verdict of verdicts) print(app, verdict);
  if (verdicts.some(({ valid }) => !valid)) throw new ExitStatus(1);
}

function print(app: App, { what, valid, errors, warnings }: Verdict): void {
  app.io.print(
    valid ? `✓ ${what} is valid` : `✗ ${what}\n${errors.map((line) => `    ${line}`).join('\n')}`,
  );
  for (const warning of warnings) app.io.warn(warning);
}
