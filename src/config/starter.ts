// Files to begin with: every key with what it is for, commented out. Pure.
import { stringify } from 'smol-toml';
import { type KeyName, keyNames, keyOf, type PartialSettings } from './keys/table.ts';
import { usualSecrets } from './profile.ts';
import { fileValue } from './schema.ts';

/** Worth more than the default to somebody who takes the # away. */
const offered: PartialSettings = { 'security.secret_paths': usualSecrets };

/** `~/.coi/config.toml` for somebody who has none. */
export function starterConfig(): string {
  const head = [
    '# Configuration of coi. Every key is here with its default; take the # away to change one.',
    '# `coi config show` prints what is in force and where it comes from, `coi validate` checks this file.',
  ];
  return `${[...head, ...sections(keyNames)].join('\n')}\n`;
}

/** What is chosen on the command line; undefined is commented out. */
export interface ProfileStart {
  readonly inherits?: string | undefined;
  readonly image?: string | undefined;
  readonly persistent?: boolean | undefined;
}

/** The file of a new profile. */
export function starterProfile(
  name: string,
  { inherits, image, persistent }: ProfileStart,
): string {
  const lines = [
    `# Profile ${name} of coi; use it with --profile ${name}.`,
    '# It has the sections of a configuration; environment and forward_env stand at the top.',
    inherits === undefined ? '# inherits = "hardened"' : `inherits = ${JSON.stringify(inherits)}`,
    '# environment = { DEBUG = "1" }',
    '# forward_env = ["GITHUB_TOKEN"]',
    '',
    '[container]',
    image === undefined ? `# image = "coi-${name}"` : `image = ${JSON.stringify(image)}`,
    persistent === undefined ? '# persistent = true' : `persistent = ${persistent}`,
    '',
    '# What `coi build --profile` makes the image with.',
    '# [container.build]',
    '# base = "coi-default"',
    '# commands = ["apt-get update", "apt-get install -y postgresql"]',
  ];
  return `${lines.join('\n')}\n`;
}

function sections(names: readonly string[]): string[] {
  const bySection = Map.groupBy(names, (name) => name.slice(0, Math.max(0, name.lastIndexOf('.'))));
  // What stands at the top of a TOML file has to come before the first section.
  const sorted = [...bySection].sort(([a], [b]) => (a === '' ? -1 : b === '' ? 1 : 0));
  return sorted.flatMap(([section, keys]) => [
    '',
    ...(section === '' ? [] : [`[${section}]`]),
    ...keys.flatMap((name) => [
      `# ${keyOf(name as never).doc}${offered[name as KeyName] ? ' None by default; a good choice:' : ''}`,
      commented(name, section),
    ]),
  ]);
}

function commented(name: string, section: string): string {
  const own = name.slice(section === '' ? 0 : section.length + 1);
  const wanted = offered[name as KeyName] ?? keyOf(name as never).fallback;
  const value = fileValue(name as never, wanted as never);
  // A list of tables or an empty table is written otherwise than a value.
  return `# ${
    value === undefined
      ? `${own} =`
      : stringify({ [own]: value })
          .trim()
          .replaceAll('\n', '\n# ')
  }`;
}
