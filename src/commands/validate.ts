// coi validate: checks configuration without using it.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { profileNames } from '../config/profile-files.ts';
import { configMaxBytes, configSource } from '../config/read.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { quoted } from '../names.ts';
import { workspacePath } from '../session/workspace.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig, placesOf } from './config.ts';
import { formatted, wantsJson } from './container.ts';
import { flagsOf } from './global.ts';

interface Verdict {
  readonly what: string;
  readonly valid: boolean;
  /** One problem a line. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

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

async function everything(
  app: App,
  options: Options,
  kind: 'profile' | 'config' | undefined,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  if (kind !== 'profile') verdicts.push(await resolved(app, options, undefined));
  if (kind === 'config') return verdicts;
  for (const { name } of profileNames(placesOf(app, options), hostFiles))
    verdicts.push(await resolved(app, options, name));
  return verdicts;
}

async function one(
  app: App,
  options: Options,
  kind: 'profile' | 'config',
  target: string,
): Promise<Verdict> {
  const path = workspacePath(app.cwd, target);
  const isName = kind === 'profile' && !target.includes('/') && !target.endsWith('.toml');
  if (isName) return resolved(app, options, target);
  return judged(target, async () => {
    const dir = path.slice(0, path.lastIndexOf('/')) || '/';
    using directory = hostFiles.open(dir);
    const content = directory?.read(path.slice(dir.length).replace(/^\//, ''), {
      maxBytes: configMaxBytes,
    });
    if (!content) throw new CoiError('config-invalid', `${target} does not exist`);
    const place = { home: app.user.home, dir, workspace: workspacePath(app.cwd, '.') };
    configSource({ path: target, bytes: content.bytes, kind, trusted: true, place });
    return [];
  });
}

function resolved(app: App, options: Options, profile: string | undefined): Promise<Verdict> {
  const what = profile === undefined ? 'configuration' : `profile ${profile}`;
  return judged(what, async () => {
    const given = profile ?? options.profile;
    const { warnings } = await lookedUpConfig(app, {
      ...(options.workspace === undefined ? {} : { workspace: options.workspace }),
      ...(given === undefined ? {} : { profile: given }),
    });
    return warnings;
  });
}

async function judged(what: string, check: () => Promise<readonly string[]>): Promise<Verdict> {
  try {
    return { what, valid: true, errors: [], warnings: await check() };
  } catch (error) {
    const problem = hostFiles.problem(error);
    if (!problem && !(error instanceof CoiError)) throw error;
    const text = problem?.message ?? (error instanceof CoiError ? error.message : '');
    const hint = error instanceof CoiError && error.hint ? [error.hint] : [];
    return { what, valid: false, errors: [...text.split('\n'), ...hint], warnings: [] };
  }
}

function print(app: App, { what, valid, errors, warnings }: Verdict): void {
  app.io.print(
    valid ? `✓ ${what} is valid` : `✗ ${what}\n${errors.map((line) => `    ${line}`).join('\n')}`,
  );
  for (const warning of warnings) app.io.warn(warning);
}
