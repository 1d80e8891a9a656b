// Flags of versions before 0.8 that became keys and still set them. Pure.
import { CoiError } from '../../errors.ts';
import { type KeyName, keyOf, type PartialSettings } from './table.ts';
import { ValueProblem } from './values.ts';

type FlagValues = Readonly<Partial<Record<KeyName, unknown>>>;

const textFlag =
  (name: KeyName) =>
  (text: string): FlagValues => ({ [name]: text });
const numberFlag =
  (name: KeyName) =>
  (text: string): FlagValues => ({ [name]: /^\d+$/.test(text) ? Number(text) : text });
const booleanFlag =
  (name: KeyName) =>
  (text: string): FlagValues => ({ [name]: text === 'true' });

/** Boolean flags have the text `true` or `false`. */
const flags: Readonly<Record<string, (text: string) => FlagValues>> = {
  'limit-cpu': textFlag('limits.cpu.count'),
  'limit-cpu-allowance': textFlag('limits.cpu.allowance'),
  'limit-cpu-priority': numberFlag('limits.cpu.priority'),
  'limit-memory': textFlag('limits.memory.limit'),
  'limit-memory-enforce': textFlag('limits.memory.enforce'),
  'limit-memory-swap': textFlag('limits.memory.swap'),
  'limit-disk-read': textFlag('limits.disk.read'),
  'limit-disk-write': textFlag('limits.disk.write'),
  'limit-disk-max': textFlag('limits.disk.max'),
  'limit-disk-priority': numberFlag('limits.disk.priority'),
  'limit-processes': numberFlag('limits.runtime.max_processes'),
  'limit-duration': textFlag('limits.runtime.max_duration'),
  'forward-env': (text) => ({
    'defaults.forward_env': text.split(',').map((name) => name.trim()),
  }),
  timezone: (text) =>
    text === 'host' || text === 'utc'
      ? { 'timezone.mode': text }
      : { 'timezone.mode': 'fixed', 'timezone.name': text },
  'ssh-agent': booleanFlag('ssh.forward_agent'),
  monitor: booleanFlag('monitoring.enabled'),
  'writable-git-hooks': booleanFlag('git.writable_hooks'),
};
const switches = ['ssh-agent', 'monitor', 'writable-git-hooks'];

/** Flags that take a value, with their dashes. */
export const valuedOldFlags: readonly string[] = Object.keys(flags)
  .filter((name) => !switches.includes(name))
  .map((name) => `--${name}`);

/** `name=value` if the word is an old flag, and how many words it used; otherwise undefined. */
export function parseOldFlag(
  word: string,
  next: string | undefined,
): { readonly given: string; readonly taken: 1 | 2 } | undefined {
  const [, name = '', inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (!Object.hasOwn(flags, name)) return undefined;
  if (inline !== undefined) return { given: `${name}=${inline}`, taken: 1 };
  if (switches.includes(name)) return { given: `${name}=true`, taken: 1 };
  if (next !== undefined) return { given: `${name}=${next}`, taken: 2 };
  throw new CoiError('usage', `flag needs an argument: --${name}`, {
    hint: 'Run `coi --help` for more.',
  });
}

/** The keys that `name=value` words set; repeated lists accumulate. Throws `usage`. */
export function oldFlagSettings(given: readonly string[], home: string): PartialSettings {
  const settings: Record<string, unknown> = {};
  for (const one of given) {
    const name = one.slice(0, one.indexOf('='));
    const values = flags[name]?.(one.slice(name.length + 1)) ?? {};
    for (const [key, value] of Object.entries(values)) {
      const parsed = parseValue(name, key as KeyName, value, home);
      const before = settings[key];
      settings[key] = Array.isArray(before) ? [...before, ...(parsed as unknown[])] : parsed;
    }
  }
  return settings;
}

function parseValue(flag: string, key: KeyName, value: unknown, home: string): unknown {
  try {
    return keyOf(key).type.parse(value as never, { home, dir: home, workspace: home });
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    throw new CoiError('usage', `invalid --${flag}: it ${error.message}`, {
      hint: `See the configuration key ${key}.`,
    });
  }
}
