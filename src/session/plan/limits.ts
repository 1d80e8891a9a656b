// Session limits as Incus keys. Pure.
import type { Settings } from '../../config/keys/table.ts';
import type { Config, Device } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';

export interface Limits {
  /** Instance keys. */
  readonly config: Config;
  /** Root disk keys: disk limits have no effect on the instance. */
  readonly root: Device;
  /** Lines of raw.lxc. */
  readonly raw: readonly string[];
}

/** Every key that `sessionLimits` may set, so that limits that are no longer configured can be removed. */
export const limitKeys = {
  config: [
    'limits.cpu',
    'limits.cpu.allowance',
    'limits.cpu.priority',
    'limits.memory',
    'limits.memory.enforce',
    'limits.memory.swap',
    'limits.processes',
    'limits.disk.priority',
    keys.maxDuration,
    keys.timeOver,
  ],
  root: ['limits.read', 'limits.write', 'limits.max', 'size'],
  rawPrefix: 'lxc.mount.entry = tmpfs tmp ',
} as const;

export function sessionLimits(settings: Settings): Limits {
  const memory = settings['limits.memory.limit'];
  const tmpfs = settings['limits.disk.tmpfs_size'];
  return {
    config: withoutUnset({
      'limits.cpu': settings['limits.cpu.count'],
      'limits.cpu.allowance': settings['limits.cpu.allowance'],
      'limits.cpu.priority': positive(settings['limits.cpu.priority']),
      'limits.memory': memory,
      'limits.memory.enforce': memory && settings['limits.memory.enforce'],
      'limits.memory.swap': memory && settings['limits.memory.swap'],
      'limits.processes': positive(settings['limits.runtime.max_processes']),
      'limits.disk.priority': positive(settings['limits.disk.priority']),
      [keys.maxDuration]: duration(settings),
    }),
    root: withoutUnset({
      'limits.read': rate(settings['limits.disk.read']),
      'limits.write': rate(settings['limits.disk.write']),
      'limits.max': rate(settings['limits.disk.max']),
      size: settings['limits.disk.size'],
    }),
    // Mounted before init runs, so that it hides no files in /tmp.
    raw: tmpfs
      ? [`${limitKeys.rawPrefix}tmpfs rw,nosuid,nodev,mode=1777,size=${lxcSize(tmpfs)} 0 0`]
      : [],
  };
}

/** Limits as text for the agent. */
export function limitTexts(settings: Settings): string[] {
  const words = [
    settings['limits.cpu.count'] && `CPUs ${settings['limits.cpu.count']}`,
    settings['limits.memory.limit'] && `memory ${settings['limits.memory.limit']}`,
    settings['limits.disk.size'] && `disk ${settings['limits.disk.size']}`,
    settings['limits.runtime.max_processes'] > 0 &&
      `processes ${settings['limits.runtime.max_processes']}`,
  ];
  return words.filter((word): word is string => typeof word === 'string' && word !== '');
}

function withoutUnset(values: Readonly<Record<string, string | undefined>>): Config {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}

/** For coid, which ends the session when the time limit is reached (daemon/reconcile/time-limits.ts). */
function duration(settings: Settings): string | undefined {
  const ms = settings['limits.runtime.max_duration'];
  if (!ms || !settings['limits.runtime.auto_stop']) return undefined;
  return `${ms} ${settings['limits.runtime.stop_graceful'] ? 'graceful' : 'force'}`;
}

/** 0 means "no limit". */
function positive(value: number): string | undefined {
  return value > 0 ? String(value) : undefined;
}

/** Incus expects a rate without the `/s` that files of the predecessor contain. */
function rate(text: string | undefined): string | undefined {
  return text?.replace(/\/s$/, '');
}

/** tmpfs only knows k, m, g and %. */
function lxcSize(text: string): string {
  const [, amount, unit] = /^(\d+)(%|[KMGT])/.exec(text) ?? [];
  if (unit === 'T') return `${Number(amount) * 1024}g`;
  return `${amount}${(unit ?? '').toLowerCase()}`;
}
