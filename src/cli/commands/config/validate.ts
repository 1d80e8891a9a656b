// `coi validate`: checks configuration files and profiles.
import type { Command } from 'commander';
import {
  type Verdict,
  validateAll,
  validateOne,
} from '../../../app/configuration-files/validate.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { addFormatOptions, wantsJson } from '../../format-option.ts';
import { mergedOptions } from '../../global-options.ts';

interface Options extends GlobalOptions {
  format?: 'text' | 'json';
  json?: boolean;
}

export function register(command: Command, app: App): void {
  addFormatOptions(command)
    .argument('[kind]', 'profile or config (default: everything that applies here)')
    .argument('[file-or-name]', 'file, or name of a profile')
    .action((kind: string | undefined, target: string | undefined) =>
      validate(app, mergedOptions<Options>(command), kind, target),
    );
}

async function validate(
  app: App,
  options: Options,
  kind: string | undefined,
  target: string | undefined,
): Promise<void> {
  if (kind !== undefined && kind !== 'profile' && kind !== 'config')
    throw new CoiError('usage', `cannot validate ${quoted(kind)}`, {
      hint: 'Use profile or config, for example: coi validate profile ./config.toml',
    });
  const verdicts =
    kind === undefined || target === undefined
      ? await validateAll(app, options, kind)
      : [await validateOne(app, options, kind, target)];
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
