// Keys for limits, protection and monitoring.
import { list } from './compound.ts';
import { key, optionalKey } from './key.ts';
import { choice, decimal, durationMs, flag, integer, nonEmpty, text } from './values.ts';

const memory = text(/^\d+(%|[KMGT]i?B)$/, 'a size such as "512MiB" or "50%"');
const rate = text(/^(\d+([KMGT]i?B)?(\/s)?|\d+iops)$/, 'a rate such as "10MiB" or "1000iops"');
const names = list(nonEmpty(text()));

export const guardKeys = {
  'limits.cpu.count': optionalKey(
    text(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'a number or set of CPUs such as "2" or "0-3"'),
    'CPUs of the container.',
    { trust: { limit: 'cpus' } },
  ),
  'limits.cpu.allowance': optionalKey(
    text(/^(\d+%|\d+ms\/\d+ms)$/, 'such as "50%" or "25ms/100ms"'),
    'Share of CPU time of the container.',
    { trust: { limit: 'cpu-time' } },
  ),
  'limits.cpu.priority': key(integer(0, 10), 0, 'CPU priority of the container.', {
    trust: { limit: 'number', unset: 10 },
  }),
  'limits.memory.limit': optionalKey(memory, 'Memory limit of the container.', {
    trust: { limit: 'size' },
  }),
  'limits.memory.enforce': key(
    choice('soft', 'hard'),
    'soft',
    'Whether the container may exceed the memory limit while the host has free memory.',
    { trust: { loosestFirst: ['soft', 'hard'] } },
  ),
  'limits.memory.swap': key(
    text(/^(true|false|\d+(%|[KMGT]i?B))$/, '"true", "false" or a size'),
    'true',
    'Whether the container may use swap, or how much.',
    { trust: { limit: 'swap' } },
  ),
  'limits.disk.read': optionalKey(rate, 'Disk read rate.', { trust: { limit: 'rate' } }),
  'limits.disk.write': optionalKey(rate, 'Disk write rate.', { trust: { limit: 'rate' } }),
  'limits.disk.max': optionalKey(rate, 'Disk rate for reads and writes; overrides both.', {
    trust: { limit: 'rate', also: ['limits.disk.read', 'limits.disk.write'] },
  }),
  'limits.disk.priority': key(integer(0, 10), 0, 'Disk priority of the container.', {
    trust: { limit: 'number', unset: 5 },
  }),
  'limits.disk.size': optionalKey(memory, "Size of the container's root file system.", {
    trust: { limit: 'size' },
  }),
  'limits.disk.tmpfs_size': optionalKey(memory, 'Mount /tmp in memory with this size.', {
    trust: { limit: 'size' },
  }),
  'limits.runtime.max_duration': optionalKey(durationMs, 'Maximum run time of a session.', {
    trust: { limit: 'number' },
  }),
  'limits.runtime.max_processes': key(
    integer(0),
    0,
    'Maximum number of processes in the container; 0 for no limit.',
    { trust: { limit: 'number' } },
  ),
  'limits.runtime.auto_stop': key(flag, true, 'Stop a session that reaches max_duration.', {
    trust: 'only-true',
  }),
  'limits.runtime.stop_graceful': key(
    flag,
    true,
    'Shut the container down gracefully at max_duration, with force only after a timeout.',
    {
      trust: 'harmless',
    },
  ),
  'security.protected_paths': key(
    names,
    [
      '.git/hooks',
      '.git/config',
      '.husky',
      '.vscode',
      '.git/config.worktree',
      '.git/info/attributes',
      '.coi',
      '.claude/settings.json',
      '.claude/settings.local.json',
      '.codex/config.toml',
      '.git/commondir',
      // Other files that host tools run or obey without asking.
      '.idea',
      '.pre-commit-config.yaml',
      '.mcp.json',
      '.cursor/mcp.json',
      '.gemini/settings.json',
      'opencode.json',
      'opencode.jsonc',
      '.opencode/plugin',
      '.opencode/plugins',
      '.opencode/tool',
    ],
    'Paths in the workspace that the agent cannot change.',
    { trust: 'user' },
  ),
  'security.additional_protected_paths': key(names, [], 'Additional protected paths.', {
    merge: 'append',
    trust: 'harmless',
  }),
  'security.disable_protection': key(flag, false, 'Turn off path protection.', {
    merge: 'on',
    trust: 'user',
  }),
  'security.protection': key(
    choice('guard', 'watch'),
    'guard',
    'If paths cannot be guarded: refuse to start (guard), or only watch them (watch).',
    { trust: { loosestFirst: ['watch', 'guard'] } },
  ),
  'security.host_immutable': key(
    flag,
    true,
    'Superseded: protected paths are guarded by ids, without the immutable flag.',
    { trust: 'user' },
  ),
  'security.writable_paths': key(names, [], 'Protected paths that the agent may change.', {
    trust: 'user',
  }),
  'security.secret_paths': key(
    names,
    [],
    'Globs of workspace files that are empty in the container.',
    {
      merge: 'union',
      trust: 'harmless',
    },
  ),
  'security.reduce_kernel_surface': key(
    flag,
    false,
    'Block system calls that agents do not need.',
    { trust: 'user' },
  ),
  'security.reduce_kernel_surface_strict': key(
    flag,
    false,
    'Also block perf_event_open; implies reduce_kernel_surface.',
    {
      trust: 'user',
    },
  ),
  'monitoring.enabled': key(flag, false, 'Monitor sessions for suspicious activity.', {
    trust: 'only-true',
  }),
  'monitoring.auto_pause_on_high': key(flag, true, 'Pause a session on an alert of level high.', {
    trust: 'only-true',
  }),
  'monitoring.auto_kill_on_critical': key(
    flag,
    true,
    'Kill a session on an alert of level critical.',
    {
      trust: 'only-true',
    },
  ),
  'monitoring.kill_grace_sec': key(
    decimal(0),
    30,
    'Seconds between pausing and killing a session; `coi unfreeze` prevents the kill.',
    { trust: 'lower' },
  ),
  'monitoring.poll_interval_sec': key(integer(0), 2, 'Seconds between samples.', {
    trust: 'lower',
  }),
  'monitoring.file_read_threshold_mb': key(
    decimal(0),
    50,
    'MB read from the workspace that count as bulk reading.',
    { trust: 'lower' },
  ),
  'monitoring.file_read_rate_mb_per_sec': key(
    decimal(0),
    10,
    'Read rate in MB per second that counts as bulk reading.',
    { trust: 'lower' },
  ),
  'monitoring.audit_log_retention_days': key(integer(0), 30, 'Days to keep the audit log.', {
    trust: 'user',
  }),
  'monitoring.process_count_threshold': optionalKey(
    integer(0),
    'Number of processes that raises an alert.',
    {
      trust: 'user',
    },
  ),
  'monitoring.process_spawn_rate_threshold': optionalKey(
    decimal(0),
    'Number of new processes per second that raises an alert.',
    { trust: 'user' },
  ),
  'monitoring.forensics_on_kill': key(flag, false, 'Save evidence before a session is killed.', {
    trust: 'only-true',
  }),
  'monitoring.reverse_shell_one_liners': key(
    choice('critical', 'warn', 'off'),
    'critical',
    'Level of an alert for a command line that looks like a reverse shell.',
    { trust: 'user' },
  ),
  'monitoring.bait': key(
    flag,
    false,
    "Put decoy credentials into the agent's home; reading them raises an alert.",
    {
      trust: 'only-true',
    },
  ),
  'monitoring.nft.enabled': key(
    flag,
    false,
    'Without effect: coid always counts refused connections and DNS queries.',
    { trust: 'only-true', effect: 'none' },
  ),
  'monitoring.nft.rate_limit_per_second': key(integer(0), 100, 'Without effect.', {
    trust: 'user',
    effect: 'none',
  }),
  'monitoring.nft.dns_query_threshold': key(
    integer(0),
    100,
    'DNS queries per minute that count as a tunnel.',
    { trust: 'lower' },
  ),
  'monitoring.nft.log_dns_queries': key(
    flag,
    true,
    'Without effect: coid always counts DNS queries.',
    {
      trust: 'only-true',
      effect: 'none',
    },
  ),
  'monitoring.nft.lima_host': optionalKey(text(), 'Accepted in old files.', {
    trust: 'user',
    effect: 'none',
  }),
} as const;
