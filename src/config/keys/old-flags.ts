// Flags of versions before 0.8 that became keys: they still count, as the key does. Pure.
import { CoiError } from '../../errors.ts';
import { type KeyName, keyOf, type PartialSettings } from './table.ts';
import { ValueProblem } from './values.ts';

type Given = Readonly<Partial<Record<KeyName, unknown>>>;

const words =
  (name: KeyName) =>
  (text: string): Given => ({ [name]: text });
const number =
  (name: KeyName) =>
  (text: string): Given => ({ [name]: /^\d+$/.test(text) ? Number(text) : text });
const switched =
  (name: KeyName) =>
  (text: string): Given => ({ [name]: text === 'true' });

/** Switches are given as `true` or `false`. */
const flags: Readonly<Record<string, (text: string) => Given>> = {
  'limit-cpu': words('limits.cpu.count'),
  'limit-cpu-allowance': words('limits.cpu.allowance'),
  'limit-cpu-priority': number('limits.cpu.priority'),
  'limit-memory': words('limits.memory.limit'),
  'limit-memory-enforce': words('limits.memory.enforce'),
  'limit-memory-swap': words('limits.memory.swap'),
  'limit-disk-read': words('limits.disk.read'),
  'limit-disk-write': words('limits.disk.write'),
  'limit-disk-max': words('limits.disk.max'),
  'limit-disk-priority': number('limits.disk.priority'),
  'limit-processes': number('limits.runtime.max_processes'),
  'limit-duration': words('limits.runtime.max_duration'),
  'forward-env': (text) => ({
    'defaults.forward_env': text.split(',').map((name) => name.trim()),
  }),
  timezone: (text) =>
    text === 'host' || text === 'utc'
      ? { 'timezone.mode': text }
      : { 'timezone.mode': 'fixed', 'timezone.name': text },
  'ssh-agent': switched('ssh.forward_agent'),
  monitor: switched('monitoring.enabled'),
  'writable-git-hooks': switched('git.writable_hooks'),
};
const switches = ['ssh-agent', 'monitor', 'writable-git-hooks'];

/** Those that are followed by a value, with their dashes. */
export const valuedOldFlags: readonly string[] = Object.keys(flags)
  .filter((name) => !switches.includes(name))
  .map((name) => `--${name}`);

/** `name=value` for the word if it is such a flag, and how many words that took; undefined for every other word. */
export function oldFlag(
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

/** The keys that `name=value` words stand for; of lists and tables all count. Throws `usage`. */
export function oldFlagSettings(given: readonly string[], home: string): PartialSettings {
  const settings: Record<string, unknown> = {};
  for (const one of given) {
    const name = one.slice(0, one.indexOf('='));
    const values = flags[name]?.(one.slice(name.length + 1)) ?? {};
    for (const [key, value] of Object.entries(values)) {
      const parsed = sound(name, key as KeyName, value, home);
      const before = settings[key];
      settings[key] = Array.isArray(before) ? [...before, ...(parsed as unknown[])] : parsed;
    }
  }
  return settings;
}

function sound(flag: string, key: KeyName, value: unknown, home: string): unknown {
  try {
    return keyOf(key).type.parse(value as never, { home, dir: home, workspace: home });
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    throw new CoiError('usage', `invalid --${flag}: it ${error.message}`, {
      hint: `The key ${key} of the configuration takes the same.`,
    });
  }
}
