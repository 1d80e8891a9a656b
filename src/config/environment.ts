// Environment variables of old versions that set a key. They rank above the files and below the profile.
import { CoiError } from '../errors.ts';
import { type KeyName, keyOf } from './keys/table.ts';
import { ValueProblem } from './keys/values.ts';
import type { Layer } from './origin.ts';

const variables: Readonly<Record<string, KeyName>> = {
  CLAUDE_ON_INCUS_IMAGE: 'container.image',
  CLAUDE_ON_INCUS_SESSIONS_DIR: 'paths.sessions_dir',
  CLAUDE_ON_INCUS_STORAGE_DIR: 'paths.storage_dir',
  CLAUDE_ON_INCUS_PERSISTENT: 'container.persistent',
  COI_LIMIT_CPU: 'limits.cpu.count',
  COI_LIMIT_CPU_ALLOWANCE: 'limits.cpu.allowance',
  COI_LIMIT_MEMORY: 'limits.memory.limit',
  COI_LIMIT_MEMORY_SWAP: 'limits.memory.swap',
  COI_LIMIT_DISK_READ: 'limits.disk.read',
  COI_LIMIT_DISK_WRITE: 'limits.disk.write',
  COI_LIMIT_DURATION: 'limits.runtime.max_duration',
};

/** The layer of those variables. Throws `config-invalid` with the variable's name. */
export function environmentLayer(env: Readonly<Record<string, string | undefined>>): Layer {
  const values: Partial<Record<KeyName, unknown>> = {};
  const sources = new Map<string, string>();
  for (const [variable, name] of Object.entries(variables)) {
    const given = env[variable];
    if (!given) continue;
    values[name] =
      name === 'container.persistent'
        ? ['true', '1'].includes(given)
        : parseValue(variable, name, given, env);
    sources.set(name, variable);
  }
  return {
    values: values as Layer['values'],
    origin: (name) => ({ kind: 'env', name: sources.get(name) ?? '' }),
  };
}

function parseValue(
  variable: string,
  name: KeyName,
  given: string,
  env: Readonly<Record<string, string | undefined>>,
): unknown {
  const home = env['HOME'] ?? '/';
  try {
    return keyOf(name).type.parse(given as never, { home, dir: home, workspace: home });
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    throw new CoiError('config-invalid', `$${variable} ${error.message}`);
  }
}
