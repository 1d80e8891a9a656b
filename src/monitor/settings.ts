// The settings of a session's monitor: `user.coi.monitor` of the instance, as JSON. coi writes them from the
// configuration; coid reads them and clamps every number.

export interface MonitorSettings {
  readonly pollMs: number;
  readonly pauseOnHigh: boolean;
  readonly killOnCritical: boolean;
  /** How long a container is paused before it is killed, so that its owner can resume it. */
  readonly killGraceMs: number;
  /** Bulk reading: bytes within one window, and bytes per second. */
  readonly readBytes: number;
  readonly readBytesPerSecond: number;
  /** The limit for processes; undefined for the built-in limit, which no build reaches. */
  readonly processes: number | undefined;
  /** The limit for new processes per second; undefined for none. */
  readonly spawnsPerSecond: number | undefined;
  readonly oneLiners: 'critical' | 'warn' | 'off';
  /** DNS names per minute. */
  readonly dnsPerMinute: number;
  readonly bait: boolean;
  /** Take a copy of the container before it is killed. */
  readonly forensics: boolean;
  readonly retentionDays: number;
  /** Program and arguments, run as the owner when a session is paused or killed; empty: none. */
  readonly notify: readonly string[];
}

const megabyte = 1024 * 1024;

export const defaultSettings: MonitorSettings = {
  pollMs: 2000,
  pauseOnHigh: true,
  killOnCritical: true,
  killGraceMs: 30_000,
  readBytes: 50 * megabyte,
  readBytesPerSecond: 10 * megabyte,
  processes: undefined,
  spawnsPerSecond: undefined,
  oneLiners: 'critical',
  dnsPerMinute: 100,
  bait: false,
  forensics: false,
  retentionDays: 30,
  notify: [],
};

/** The keys of [monitoring] and [notify] in the configuration. */
export interface MonitorConfig {
  readonly 'monitoring.enabled': boolean;
  readonly 'monitoring.auto_pause_on_high': boolean;
  readonly 'monitoring.auto_kill_on_critical': boolean;
  readonly 'monitoring.kill_grace_sec': number;
  readonly 'monitoring.poll_interval_sec': number;
  readonly 'monitoring.file_read_threshold_mb': number;
  readonly 'monitoring.file_read_rate_mb_per_sec': number;
  readonly 'monitoring.audit_log_retention_days': number;
  readonly 'monitoring.process_count_threshold': number | undefined;
  readonly 'monitoring.process_spawn_rate_threshold': number | undefined;
  readonly 'monitoring.forensics_on_kill': boolean;
  readonly 'monitoring.reverse_shell_one_liners': 'critical' | 'warn' | 'off';
  readonly 'monitoring.bait': boolean;
  readonly 'monitoring.nft.dns_query_threshold': number;
  readonly 'notify.command': readonly string[];
}

/** The value of `user.coi.monitor`, or undefined if monitoring is off. */
export function monitorKey(config: MonitorConfig): string | undefined {
  if (!config['monitoring.enabled']) return undefined;
  const settings: MonitorSettings = {
    pollMs: config['monitoring.poll_interval_sec'] * 1000,
    pauseOnHigh: config['monitoring.auto_pause_on_high'],
    killOnCritical: config['monitoring.auto_kill_on_critical'],
    killGraceMs: config['monitoring.kill_grace_sec'] * 1000,
    readBytes: config['monitoring.file_read_threshold_mb'] * megabyte,
    readBytesPerSecond: config['monitoring.file_read_rate_mb_per_sec'] * megabyte,
    processes: config['monitoring.process_count_threshold'],
    spawnsPerSecond: config['monitoring.process_spawn_rate_threshold'],
    oneLiners: config['monitoring.reverse_shell_one_liners'],
    dnsPerMinute: config['monitoring.nft.dns_query_threshold'],
    bait: config['monitoring.bait'],
    forensics: config['monitoring.forensics_on_kill'],
    retentionDays: config['monitoring.audit_log_retention_days'],
    notify: config['notify.command'],
  };
  return JSON.stringify(settings);
}

/**
 * Parses `user.coi.monitor`. Undefined: not monitored. An invalid value means the defaults, so that damaging the key
 * does not end the monitoring.
 */
export function parseMonitorKey(text: string | undefined): MonitorSettings | undefined {
  if (text === undefined || text === '') return undefined;
  const value = parseObject(text);
  const number = (name: keyof MonitorSettings, low: number, high: number, fallback: number) => {
    const given = value[name];
    return typeof given === 'number' && Number.isFinite(given)
      ? Math.min(high, Math.max(low, given))
      : fallback;
  };
  const limit = (name: 'processes' | 'spawnsPerSecond') => {
    const given = number(name, 0, 1e6, 0);
    return given > 0 ? given : undefined;
  };
  const flag = (name: keyof MonitorSettings, fallback: boolean) =>
    typeof value[name] === 'boolean' ? value[name] : fallback;
  const { notify, oneLiners } = value;
  return {
    pollMs: number('pollMs', 250, 60_000, defaultSettings.pollMs),
    pauseOnHigh: flag('pauseOnHigh', true),
    killOnCritical: flag('killOnCritical', true),
    killGraceMs: number('killGraceMs', 0, 3_600_000, defaultSettings.killGraceMs),
    readBytes: number('readBytes', 0, 2 ** 50, defaultSettings.readBytes),
    readBytesPerSecond: number(
      'readBytesPerSecond',
      0,
      2 ** 50,
      defaultSettings.readBytesPerSecond,
    ),
    processes: limit('processes'),
    spawnsPerSecond: limit('spawnsPerSecond'),
    oneLiners: oneLiners === 'warn' || oneLiners === 'off' ? oneLiners : 'critical',
    dnsPerMinute: number('dnsPerMinute', 0, 1e6, defaultSettings.dnsPerMinute),
    bait: flag('bait', false),
    forensics: flag('forensics', false),
    retentionDays: number('retentionDays', 0, 3650, defaultSettings.retentionDays),
    notify:
      Array.isArray(notify) &&
      notify.length <= 32 &&
      notify.every((word) => typeof word === 'string')
        ? notify
        : [],
  };
}

function parseObject(text: string): Partial<Record<keyof MonitorSettings, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
