// Profiles: named sets of values that can inherit from each other. Pure.
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { type KeyName, keyOf, type PartialSettings } from './keys/table.ts';
import { isTable } from './keys/values.ts';
import { mergeValues } from './merge.ts';
import type { Layer, Origin } from './origin.ts';
import type { ConfigSource } from './read.ts';

const inheritMax = 10;

export interface Profile {
  readonly name: string;
  readonly source: ConfigSource;
}

/** Common locations of passwords and keys in projects. */
export const commonSecretPaths = [
  '.env',
  '.env.*',
  '**/.env',
  '**/.env.*',
  '**/*.pem',
  '**/*.key',
  '**/id_rsa',
  '**/id_ed25519',
  '.npmrc',
  '.netrc',
];

/** Built-in profiles; a profile with the same name on disk replaces one. */
export const builtInProfiles: Readonly<Record<string, PartialSettings>> = {
  default: {},
  hardened: {
    'container.docker': false,
    'monitoring.enabled': true,
    'monitoring.forensics_on_kill': true,
    'security.reduce_kernel_surface': true,
    'security.secret_paths': commonSecretPaths,
    'ssh.forward_agent': false,
  },
};

/** The profile and its ancestors, the most distant first. Throws `profile-not-found`, and `config-invalid` for missing parents and cycles. */
export function profileChain(
  name: string,
  find: (name: string) => ConfigSource | undefined,
  known: () => readonly string[],
): Profile[] {
  const chain: Profile[] = [];
  for (let next: string | undefined = name; next !== undefined; ) {
    const source = find(next);
    const child = chain[0];
    if (!source && !child) throw notFound(name, known());
    if (!source) throw chainError(child, `inherits ${quoted(next)}, which does not exist`);
    if (chain.some((profile) => profile.name === next))
      throw chainError(child, `inherits ${quoted(next)}, which inherits it in turn`);
    if (chain.length > inheritMax)
      throw chainError(child, `is more than ${inheritMax} levels above the requested profile`);
    chain.unshift({ name: next, source });
    next = source.inherits;
  }
  return chain;
}

/** Merges a chain into one layer: key by key; a list comes from the nearest profile that has it. */
export function profileLayer(chain: readonly Profile[]): Layer {
  const values: Partial<Record<KeyName, unknown>> = {};
  const origins = new Map<KeyName, Origin>();
  for (const { name, source } of chain) {
    for (const key of Object.keys(source.values) as KeyName[]) {
      values[key] = inheritValue(key, values[key], source.values[key]);
      origins.set(key, { kind: 'profile', name, path: source.path, line: source.line(key) });
    }
  }
  return {
    values: values as PartialSettings,
    origin: (key) => origins.get(key) ?? { kind: 'default' },
  };
}

function inheritValue(key: KeyName, parent: unknown, child: unknown): unknown {
  const { merge } = keyOf(key);
  if (merge === 'keywise') {
    // An empty string removes a variable of the parent.
    const both = mergeValues(merge, parent, child);
    return isTable(both)
      ? Object.fromEntries(Object.entries(both).filter(([, value]) => value !== ''))
      : both;
  }
  if (key === 'security.additional_protected_paths')
    return [...new Set([...((parent as string[]) ?? []), ...(child as string[])])];
  if (merge === 'nonzero' && (child === '' || child === 0)) return parent;
  return child;
}

function notFound(name: string, known: readonly string[]): CoiError {
  return new CoiError('profile-not-found', `profile '${quoted(name).slice(1, -1)}' not found`, {
    hint:
      known.length === 0
        ? 'Create it with `coi profile create`.'
        : `Available profiles: ${known.join(', ')}.`,
  });
}

function chainError(child: Profile | undefined, text: string): CoiError {
  return new CoiError(
    'config-invalid',
    `${child?.source.path ?? ''}: profile ${child?.name ?? ''} ${text}`,
  );
}
