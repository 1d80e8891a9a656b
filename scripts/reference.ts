// Writes docs/reference/ and man/ from what the program itself says: commands, keys, errors, JSON. `--check` only compares.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import type { App } from '../src/app.ts';
import { addGlobalOptions } from '../src/commands/global.ts';
import { tree } from '../src/commands/tree.ts';
import { trustText } from '../src/config/key.ts';
import { keyNames, keyOf } from '../src/config/keys.ts';
import { configSchema, fileValue, profileSchema } from '../src/config/schema.ts';
import { errorCodes } from '../src/errors.ts';
import { jsonShapes } from '../src/ui/json-shapes.ts';
import { manPage } from './man.ts';

const root = resolve(import.meta.dirname, '..');
const generated =
  '<!-- Written by scripts/reference.ts; change the program, not this file. -->\n\n';

/** Nothing is run: registering takes an App, and looks into it only when a command is called. */
const noApp = {} as App;

/** Every command that `coi help` shows, with all below it. */
export async function allCommands(): Promise<Command[]> {
  const shown = tree.filter(({ hidden }) => !hidden);
  return Promise.all(
    shown.map(async (branch) => {
      const command = new Command(branch.name).description(branch.summary);
      command.aliases([...(branch.aliases ?? [])]).helpOption('-h, --help', 'show help');
      addGlobalOptions(command);
      (await branch.load()).register(command, noApp);
      return command;
    }),
  );
}

/** The command and all below it, each with its full name. */
export function flattened(command: Command, above = 'coi'): { name: string; command: Command }[] {
  const name = `${above} ${command.name()}`;
  return [{ name, command }, ...command.commands.flatMap((inner) => flattened(inner, name))];
}

function commandText({ name, command }: { name: string; command: Command }): string {
  const options = command.options.filter(({ hidden }) => !hidden);
  const words = command.registeredArguments.map((argument) => {
    const shown = argument.name() + (argument.variadic ? '...' : '');
    return argument.required ? `<${shown}>` : `[${shown}]`;
  });
  const rows = options.map(({ flags, description }) => `| \`${flags}\` | ${cell(description)} |`);
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  return [
    `## ${name}`,
    '',
    `\`${[name, ...(options.length > 0 ? ['[options]'] : []), ...words].join(' ')}\``,
    '',
    `${command.description()}.${aliases.length > 0 ? ` Also: ${aliases.join(', ')}.` : ''}`,
    ...(rows.length > 0 ? ['', '| flag | |', '|---|---|', ...rows] : []),
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function globalText(): string {
  const program = new Command('coi');
  addGlobalOptions(program);
  const rows = program.options.map(
    ({ flags, description }) => `| \`${flags}\` | ${cell(description)} |`,
  );
  return ['## Flags of every command', '', '| flag | |', '|---|---|', ...rows, ''].join('\n');
}

function keysText(): string {
  const rows = keyNames.map((name) => {
    const { fallback, doc, trust } = keyOf(name);
    const value = fallback === undefined ? '' : `\`${JSON.stringify(fileValue(name, fallback))}\``;
    return `| \`${name}\` | ${cell(value)} | ${cell(doc)} | ${cell(trustText(trust))} |`;
  });
  const about =
    'Keys of `~/.coi/config.toml`, of the `.coi/config.toml` of a project and, with some at the top of the file, of profiles. The last column says who may set a key: `harmless` also a project, `user` only the user. With all others a project waits for `coi trust`, unless its value loosens nothing: a `limit` may be lowered, and where choices are listed, a project may go to one further right.';
  const table = ['| key | default | | trust |', '|---|---|---|---|', ...rows];
  return ['# Configuration keys', '', about, '', ...table, ''].join('\n');
}

function errorsText(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { exit, about }]) => `| \`${code}\` | ${exit} | ${cell(about)} |`,
  );
  const about =
    'With `--json` a failure is `{"error": {"code", "message", "hint"}}` on stderr; otherwise `Error: …` and `Hint: …`. The status is that of the table; `coi run` returns 125 in the place of 1, and 124 for a command that `--timeout` ended, since 1 may be the status of its command.';
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
    '# What --json prints',
    '',
    'JSON Schemas, by command. Keys may be added; none is renamed or removed. stdout holds the JSON alone, what is told stays on stderr. What goes on (`monitor` and `top` with `--watch`, `network log --follow`, `logs`, `audit`) prints one value a line.',
    '',
    ...parts,
  ].join('\n');
}

/** Path below the repository → text. */
export async function reference(): Promise<Map<string, string>> {
  const all = (await allCommands()).sort((a, b) => (a.name() < b.name() ? -1 : 1));
  const flat = all.flatMap((command) => flattened(command));
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
    ['man/coi.1', manPage(all)],
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
