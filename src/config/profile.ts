// Profiles: named sets of values that may inherit from each other. Pure.
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { type KeyName, keyOf, type PartialSettings } from './keys/table.ts';
import { isTable } from './keys/values.ts';
import { joined } from './merge.ts';
import type { Layer, Origin } from './origin.ts';
import type { ConfigSource } from './read.ts';

const inheritMax = 10;

export interface Profile {
  readonly name: string;
  readonly source: ConfigSource;
}

/** Where projects keep passwords and keys. */
export const usualSecrets = [
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

/** Profiles that need no file; one of that name on disk is used instead. */
export const builtInProfiles: Readonly<Record<string, PartialSettings>> = {
  default: {},
  hardened: {
    'container.docker': false,
    'monitoring.enabled': true,
    'monitoring.forensics_on_kill': true,
    'security.reduce_kernel_surface': true,
    'security.secret_paths': usualSecrets,
    'ssh.forward_agent': false,
  },
};

/** The profile and its ancestors, the most distant first. Throws `profile-not-found` and, for parents and cycles, `config-invalid`. */
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
    if (!source)
      throw broken(child, `inherits ${quoted(next)}, and there is no profile of that name`);
    if (chain.some((profile) => profile.name === next))
      throw broken(child, `inherits ${quoted(next)}, which inherits it in turn`);
    if (chain.length > inheritMax)
      throw broken(
        child,
        `is more than ${inheritMax} profiles away from the one that was asked for`,
      );
    chain.unshift({ name: next, source });
    next = source.inherits;
  }
  return chain;
}

/** One layer of a chain: fields one by one, lists as the nearest profile that has them says. */
export function profileLayer(chain: readonly Profile[]): Layer {
  const values: Partial<Record<KeyName, unknown>> = {};
  const origins = new Map<KeyName, Origin>();
  for (const { name, source } of chain) {
    for (const key of Object.keys(source.values) as KeyName[]) {
      values[key] = inherited(key, values[key], source.values[key]);
      origins.set(key, { kind: 'profile', name, path: source.path, line: source.line(key) });
    }
  }
  return {
    values: values as PartialSettings,
    origin: (key) => origins.get(key) ?? { kind: 'default' },
  };
}

function inherited(key: KeyName, parent: unknown, child: unknown): unknown {
  const { merge } = keyOf(key);
  if (merge === 'keywise') {
    // An empty string takes a variable of the parent away.
    const both = joined(merge, parent, child);
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
        ? 'Make it with `coi profile create`.'
        : `Available profiles: ${known.join(', ')}.`,
  });
}

function broken(child: Profile | undefined, text: string): CoiError {
  return new CoiError(
    'config-invalid',
    `${child?.source.path ?? ''}: profile ${child?.name ?? ''} ${text}`,
  );
}
