// Generates docs/reference/ and man/ from the program: commands, keys, errors, JSON. `--check` only compares.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, type Option } from 'commander';
import type { App } from '../src/cli/app.ts';
import { commandTree } from '../src/cli/command-tree.ts';
import { addGlobalOptions } from '../src/cli/global-options.ts';
import { argumentTerm, capitalize, flagTerm, flagText } from '../src/cli/help-text.ts';
import { jsonShapes } from '../src/cli/ui/json-shapes.ts';
import { type Trust, trustText } from '../src/config/keys/key.ts';
import { keyNames, keyOf } from '../src/config/keys/table.ts';
import { configSchema, fileValue, profileSchema } from '../src/config/schema.ts';
import { errorCodes } from '../src/errors.ts';
import { manPage } from './man.ts';

const root = resolve(import.meta.dirname, '..');
const generated =
  '<!-- Written by scripts/reference.ts; change the program, not this file. -->\n\n';

/** Not used: registering takes an App, but reads it only when a command is called. */
const noApp = {} as App;

/** Every command that `coi help` shows, with its subcommands. */
export async function allCommands(): Promise<Command[]> {
  const shown = commandTree.filter(({ hidden }) => !hidden);
  return Promise.all(
    shown.map(async (branch) => {
      const command = new Command(branch.name).description(branch.summary);
      command.aliases([...(branch.aliases ?? [])]).helpOption('-h, --help', 'show help');
      addGlobalOptions(command);
      (await branch.load()).register(command, noApp, commandTree);
      return command;
    }),
  );
}

/** The command and its subcommands, each with its full name. */
export function flattenCommands(
  command: Command,
  above = 'coi',
): { name: string; command: Command }[] {
  const name = `${above} ${command.name()}`;
  return [{ name, command }, ...command.commands.flatMap((inner) => flattenCommands(inner, name))];
}

function commandText({ name, command }: { name: string; command: Command }): string {
  const options = command.options.filter(({ hidden }) => !hidden);
  const words = command.registeredArguments.map(argumentTerm);
  const argumentRows = command.registeredArguments.flatMap((argument) =>
    argument.description ? [row(argumentTerm(argument), argument.description)] : [],
  );
  const rows = [...argumentRows, ...options.map(flagRow)];
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  return [
    `## ${name}`,
    '',
    `\`${[name, ...(options.length > 0 ? ['[options]'] : []), ...words].join(' ')}\``,
    '',
    `${capitalize(command.description())}.${aliases.length > 0 ? ` Also: ${aliases.join(', ')}.` : ''}`,
    ...(rows.length > 0 ? ['', '| argument or flag | |', '|---|---|', ...rows] : []),
    '',
  ].join('\n');
}

function flagRow(option: Option): string {
  return row(flagTerm(option), flagText(option));
}

function row(term: string, text: string): string {
  return `| \`${term}\` | ${cell(capitalize(text))} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function globalText(): string {
  const about =
    'Every command accepts them, before or after its name. Most affect the session that is started; the help of a command lists those that apply to it.';
  const rows = globalOptions().map(flagRow);
  return ['## Global options', '', about, '', '| flag | |', '|---|---|', ...rows, ''].join('\n');
}

/** The options that the help of `coi` shows. */
function globalOptions(): Option[] {
  const program = new Command('coi');
  addGlobalOptions(program);
  return program.options.filter(({ hidden }) => !hidden);
}

/** Explains the last column of the keys, in the order of the table. */
const trustLegend: Readonly<Record<Exclude<Trust, object> | 'limit' | 'in this order', string>> = {
  harmless: 'A project may set it: no value gives the project more access.',
  user: "Only the user's own files count; in a project's file it is ignored, with a warning.",
  approve: 'Every value from a project needs approval with `coi trust`.',
  'only-true': 'A project may set it to `true`; `false` needs approval.',
  'only-false': 'A project may set it to `false`; `true` needs approval.',
  lower: "A project may set it up to the user's value; a higher value needs approval.",
  limit: 'A project may tighten the limit; loosening or removing it needs approval.',
  'in this order':
    "A project may set the user's choice, or one further right; one further left needs approval.",
  domains: "Entries that the user has not listed need approval if the user's mode is `allowlist`.",
  mounts:
    'Mounts of directories in the project are allowed unless they cover a system directory; others need approval.',
  environment:
    'Variables without effect on programs are allowed, and those that the user has set to the same value; others need approval.',
  inside: 'A path in the project is allowed; any other needs approval.',
  here: 'An image on this host is allowed; one on a remote (`images:…`) needs approval.',
};

function keysText(): string {
  const rowsOf = (effect: 'none' | undefined) =>
    keyNames
      .filter((name) => keyOf(name).effect === effect)
      .map((name) => {
        const { fallback, doc, trust } = keyOf(name);
        const value =
          fallback === undefined ? '' : `\`${JSON.stringify(fileValue(name, fallback))}\``;
        return `| \`${name}\` | ${cell(value)} | ${cell(doc)} | ${cell(trustText(trust))} |`;
      });
  const about =
    'Keys of `~/.coi/config.toml`, of the `.coi/config.toml` of a project and, with some at the top of the file, of profiles. The user may set every key. The last column shows what takes effect at once in the file of a project, and what needs approval by the user with `coi trust`:';
  const legend = Object.entries(trustLegend).map(([word, text]) => `| ${word} | ${cell(text)} |`);
  const head = ['| key | default | | trust |', '|---|---|---|---|'];
  const idle =
    'coi accepts these keys for configurations that were written for its predecessor. They have no effect.';
  return [
    ...['# Configuration keys', '', about, ''],
    ...['| trust | a project that sets it |', '|---|---|', ...legend, ''],
    ...[...head, ...rowsOf(undefined), ''],
    ...['## Keys without effect', '', idle, '', ...head, ...rowsOf('none'), ''],
  ].join('\n');
}

function errorsText(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { exit, about }]) => `| \`${code}\` | ${exit} | ${cell(about)} |`,
  );
  const about =
    'With `--json` a failure is `{"error": {"code", "message", "hint"}}` on stderr; otherwise `Error: …` and `Hint: …`. The table lists the exit status; `coi run` returns 125 instead of 1, since 1 may be the status of its command, and 124 for a command that `--timeout` ended.';
  return ['# Errors', '', about, '', '| code | status | |', '|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

function jsonText(): string {
  const sorted = Object.entries(jsonShapes).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = sorted.map(([name, shape]) =>
    [
      `## ${name === 'error' ? 'a failure' : `coi ${name}`}`,
      '',
      '```json',
      JSON.stringify(shape, null, 2),
      '```',
      '',
    ].join('\n'),
  );
  return [
    '# JSON output',
    '',
    'JSON Schemas, by command. Keys may be added; none is renamed or removed. stdout contains only the JSON; messages go to stderr. Commands that keep running (`monitor` and `top` with `--watch`, `network log --follow`, `logs`, `audit`) print one value per line.',
    '',
    ...parts,
  ].join('\n');
}

/** Path below the repository → text. */
export async function reference(): Promise<Map<string, string>> {
  const all = (await allCommands()).sort((a, b) => (a.name() < b.name() ? -1 : 1));
  const flat = all.flatMap((command) => flattenCommands(command));
  const markdown: [string, string][] = [
    ['commands.md', ['# Commands', '', globalText(), ...flat.map(commandText)].join('\n')],
    ['keys.md', keysText()],
    ['errors.md', errorsText()],
    ['json.md', jsonText()],
  ];
  return new Map([
    ...markdown.map(
      ([name, text]) => [`docs/reference/${name}`, `${generated}${text.trimEnd()}\n`] as const,
    ),
    ['docs/reference/config.schema.json', `${JSON.stringify(configSchema(), null, 2)}\n`],
    ['docs/reference/profile.schema.json', `${JSON.stringify(profileSchema(), null, 2)}\n`],
    ['man/coi.1', manPage(all, globalOptions())],
  ]);
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  for (const [path, text] of await reference()) {
    const full = join(root, path);
    if (check && readFileSync(full, 'utf8') !== text) {
      process.stderr.write(`${path} is not up to date: run npm run reference\n`);
      process.exitCode = 1;
    }
    if (check) continue;
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
}
