// Starter files: every key with its description, commented out. Pure.
import { stringify } from 'smol-toml';
import { type KeyName, keyNames, keyOf, type PartialSettings } from './keys/table.ts';
import { commonSecretPaths } from './profile.ts';
import { fileValue } from './schema.ts';

/** Suggested values that are more useful than the default. */
const suggested: PartialSettings = { 'security.secret_paths': commonSecretPaths };

/** A first `~/.coi/config.toml`. */
export function starterConfig(): string {
  const head = [
    '# Configuration of coi. Lists every key with its default; remove the # to change one.',
    '# `coi config show` prints the effective values and their origins, `coi validate` checks this file.',
  ];
  return `${[...head, ...sections(keyNames)].join('\n')}\n`;
}

/** Values from the command line; undefined ones are commented out. */
export interface ProfileOptions {
  readonly inherits?: string | undefined;
  readonly image?: string | undefined;
  readonly persistent?: boolean | undefined;
}

/** The file of a new profile. */
export function starterProfile(
  name: string,
  { inherits, image, persistent }: ProfileOptions,
): string {
  const lines = [
    `# Profile ${name} of coi; use it with --profile ${name}.`,
    '# Same sections as a configuration file; environment and forward_env are top-level keys.',
    inherits === undefined ? '# inherits = "hardened"' : `inherits = ${JSON.stringify(inherits)}`,
    '# environment = { DEBUG = "1" }',
    '# forward_env = ["GITHUB_TOKEN"]',
    '',
    '[container]',
    image === undefined ? `# image = "coi-${name}"` : `image = ${JSON.stringify(image)}`,
    persistent === undefined ? '# persistent = true' : `persistent = ${persistent}`,
    '',
    '# Image build of `coi build --profile`.',
    '# [container.build]',
    '# base = "coi-default"',
    '# commands = ["apt-get update", "apt-get install -y postgresql"]',
  ];
  return `${lines.join('\n')}\n`;
}

function sections(names: readonly string[]): string[] {
  const bySection = Map.groupBy(names, (name) => name.slice(0, Math.max(0, name.lastIndexOf('.'))));
  // In TOML, top-level keys come before the first section.
  const sorted = [...bySection].sort(([a], [b]) => (a === '' ? -1 : b === '' ? 1 : 0));
  return sorted.flatMap(([section, keys]) => [
    '',
    ...(section === '' ? [] : [`[${section}]`]),
    ...keys.flatMap((name) => [
      `# ${keyOf(name as never).doc}${suggested[name as KeyName] ? ' None by default; suggested:' : ''}`,
      commentOut(name, section),
    ]),
  ]);
}

function commentOut(name: string, section: string): string {
  const own = name.slice(section === '' ? 0 : section.length + 1);
  const wanted = suggested[name as KeyName] ?? keyOf(name as never).fallback;
  const value = fileValue(name as never, wanted as never);
  // Lists of tables and empty tables have a syntax of their own.
  return `# ${
    value === undefined
      ? `${own} =`
      : stringify({ [own]: value })
          .trim()
          .replaceAll('\n', '\n# ')
  }`;
}
