// Keys of what holds and watches a session: limits, protection, monitoring.
import { list } from './compound.ts';
import { key, unset } from './key.ts';
import { choice, decimal, durationMs, filled, flag, integer, text } from './values.ts';

const memory = text(/^\d+(%|[KMGT]i?B)$/, 'a size such as "512MiB" or "50%"');
const rate = text(/^(\d+([KMGT]i?B)?(\/s)?|\d+iops)$/, 'a rate such as "10MiB" or "1000iops"');
const names = list(filled(text()));

export const guardKeys = {
  'limits.cpu.count': unset(
    text(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'a number or set of CPUs such as "2" or "0-3"'),
    'CPUs of a container.',
    { trust: { limit: 'cpus' } },
  ),
  'limits.cpu.allowance': unset(
    text(/^(\d+%|\d+ms\/\d+ms)$/, 'such as "50%" or "25ms/100ms"'),
    'Share of CPU time.',
    { trust: { limit: 'cpu-time' } },
  ),
  'limits.cpu.priority': key(integer(0, 10), 0, 'Priority for CPU time.', {
    trust: { limit: 'number', unset: 10 },
  }),
  'limits.memory.limit': unset(memory, 'Memory of a container.', { trust: { limit: 'size' } }),
  'limits.memory.enforce': key(
    choice('soft', 'hard'),
    'soft',
    'Whether the limit may be passed while memory is free.',
    { trust: { loosestFirst: ['soft', 'hard'] } },
  ),
  'limits.memory.swap': key(
    text(/^(true|false|\d+(%|[KMGT]i?B))$/, '"true", "false" or a size'),
    'true',
    'Swap of a container.',
    { trust: { limit: 'swap' } },
  ),
  'limits.disk.read': unset(rate, 'Rate of reading.', { trust: { limit: 'rate' } }),
  'limits.disk.write': unset(rate, 'Rate of writing.', { trust: { limit: 'rate' } }),
  'limits.disk.max': unset(rate, 'Rate of both.', {
    trust: { limit: 'rate', also: ['limits.disk.read', 'limits.disk.write'] },
  }),
  'limits.disk.priority': key(integer(0, 10), 0, 'Priority for disk access.', {
    trust: { limit: 'number', unset: 5 },
  }),
  'limits.disk.size': unset(memory, 'Size of the root file system.', { trust: { limit: 'size' } }),
  'limits.disk.tmpfs_size': unset(memory, 'Size of /tmp.', { trust: { limit: 'size' } }),
  'limits.runtime.max_duration': unset(durationMs, 'How long a session may run.', {
    trust: { limit: 'number' },
  }),
  'limits.runtime.max_processes': key(
    integer(0),
    0,
    'How many processes may be in it; 0 is no limit.',
    { trust: { limit: 'number' } },
  ),
  'limits.runtime.auto_stop': key(flag, true, 'Stop it when that time is over.', {
    trust: 'only-true',
  }),
  'limits.runtime.stop_graceful': key(flag, true, 'Ask it to stop before it is forced.', {
    trust: 'harmless',
  }),
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
      // What else tools of the host run or obey without asking again.
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
  'security.additional_protected_paths': key(names, [], 'Further ones.', {
    merge: 'append',
    trust: 'harmless',
  }),
  'security.disable_protection': key(flag, false, 'Protect nothing.', {
    merge: 'on',
    trust: 'user',
  }),
  'security.protection': key(
    choice('guard', 'watch'),
    'guard',
    'What to do where paths cannot be guarded: stop, or only watch them.',
    { trust: { loosestFirst: ['watch', 'guard'] } },
  ),
  'security.host_immutable': key(
    flag,
    true,
    'Superseded: paths are guarded by ids (docs/decisions).',
    { trust: 'user' },
  ),
  'security.writable_paths': key(names, [], 'Protected paths that the agent may change.', {
    trust: 'user',
  }),
  'security.secret_paths': key(names, [], 'Globs of files that are empty inside.', {
    merge: 'union',
    trust: 'harmless',
  }),
  'security.reduce_kernel_surface': key(
    flag,
    false,
    'Refuse system calls that agents do not need.',
    { trust: 'user' },
  ),
  'security.reduce_kernel_surface_strict': key(flag, false, 'Refuse more of them.', {
    trust: 'user',
  }),
  'monitoring.enabled': key(flag, false, 'Watch what sessions do.', { trust: 'only-true' }),
  'monitoring.auto_pause_on_high': key(flag, true, 'Pause a session at level high.', {
    trust: 'only-true',
  }),
  'monitoring.auto_kill_on_critical': key(flag, true, 'Kill a session at level critical.', {
    trust: 'only-true',
  }),
  'monitoring.kill_grace_sec': key(
    decimal(0),
    30,
    'Seconds that a session is paused before it is killed; `coi unfreeze` keeps it alive.',
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
    'MB per second that count as bulk reading.',
    { trust: 'lower' },
  ),
  'monitoring.audit_log_retention_days': key(integer(0), 30, 'Days that the audit log is kept.', {
    trust: 'user',
  }),
  'monitoring.process_count_threshold': unset(integer(0), 'Processes that count as too many.', {
    trust: 'user',
  }),
  'monitoring.process_spawn_rate_threshold': unset(
    decimal(0),
    'New processes per second that count as too many.',
    { trust: 'user' },
  ),
  'monitoring.forensics_on_kill': key(flag, false, 'Copy evidence before a kill.', {
    trust: 'only-true',
  }),
  'monitoring.reverse_shell_one_liners': key(
    choice('critical', 'warn', 'off'),
    'critical',
    'What a command line that looks like a reverse shell counts as.',
    { trust: 'user' },
  ),
  'monitoring.bait': key(flag, false, "Put decoy credentials into the guest's home.", {
    trust: 'only-true',
  }),
  'monitoring.nft.enabled': key(
    flag,
    false,
    'Without effect: coid always counts what is refused and asked.',
    { trust: 'only-true', effect: 'none' },
  ),
  'monitoring.nft.rate_limit_per_second': key(integer(0), 100, 'Without effect.', {
    trust: 'user',
    effect: 'none',
  }),
  'monitoring.nft.dns_query_threshold': key(
    integer(0),
    100,
    'Questions per minute that count as a tunnel.',
    { trust: 'lower' },
  ),
  'monitoring.nft.log_dns_queries': key(flag, true, 'Without effect, as monitoring.nft.enabled.', {
    trust: 'only-true',
    effect: 'none',
  }),
  'monitoring.nft.lima_host': unset(text(), 'Kept for old files.', {
    trust: 'user',
    effect: 'none',
  }),
} as const;
