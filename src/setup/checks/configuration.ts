// Checks of the user's configuration, for `coi health` only: setup does not change it.
import type { Settings } from '../../config/keys/table.ts';
import { pluralize } from '../../pluralize.ts';
import { type Check, type Finding, finding, type Group, ok } from '../check.ts';
import type { HealthContext, UserConfig } from '../health-context.ts';

type OwnCheck = Check<HealthContext>;

export const configuration: OwnCheck = {
  id: 'config',
  title: 'Configuration',
  group: 'CONFIGURATION',
  run: async ({ user }) => configFinding(user.config),
};

export function configFinding(config: UserConfig): Finding {
  if (config.kind === 'broken')
    return finding(
      'failed',
      config.message,
      {},
      { hint: config.hint ?? 'Run `coi validate` to see every problem.' },
    );
  const { warnings, waiting } = config;
  if (waiting > 0)
    return finding(
      'warning',
      `valid; ${pluralize(waiting, 'project value')} not yet approved`,
      { waiting },
      { hint: 'Run `coi trust` to see and approve it.' },
    );
  const [first] = warnings;
  if (first === undefined) return ok('valid');
  return finding(
    'warning',
    `valid, but: ${first}`,
    { warnings },
    { hint: 'Run `coi validate` to see every problem.' },
  );
}

export const networkMode: OwnCheck = configCheck('network_mode', 'Network mode', ({ settings }) => {
  const mode = settings['network.mode'];
  if (mode !== 'open') return ok(mode, { mode });
  return finding(
    'warning',
    'open: sessions reach everything that this host reaches',
    { mode },
    { hint: 'Set [network] mode to restricted or allowlist.' },
  );
});

export const tool: OwnCheck = configCheck('tool', 'Agent', ({ settings }) => {
  const { 'tool.name': name, 'tool.permission_mode': mode } = settings;
  return ok(`${name} (permission mode ${mode})`, { name, permission_mode: mode });
});

export const timezone: OwnCheck = {
  id: 'timezone',
  title: 'Time zone',
  group: 'SYSTEM',
  run: async ({ user }) =>
    user.zone === undefined
      ? ok('unknown: sessions run in UTC', { zone: null })
      : ok(user.zone, { zone: user.zone }),
};

export const securityPosture: OwnCheck = configCheck(
  'security_posture',
  'Protection',
  ({ settings }) => postureFinding(settings),
  'CRITICAL',
);

/** Reports disabled protection, which only the user's own configuration can disable. */
export function postureFinding(
  settings: Pick<
    Settings,
    'security.disable_protection' | 'security.protection' | 'git.writable_hooks'
  >,
): Finding {
  const weak = [
    ...(settings['security.disable_protection'] ? ['no path is protected'] : []),
    ...(settings['security.protection'] === 'watch' ? ['changes are only watched'] : []),
    ...(settings['git.writable_hooks'] ? ['git hooks are writable'] : []),
  ];
  if (weak.length === 0) return ok('unprivileged containers, protected paths', { weak });
  return finding('warning', weak.join(', '), { weak }, { hint: 'See [security] and [git].' });
}

export const monitoringConfiguration: OwnCheck = configCheck(
  'monitoring_configuration',
  'Monitoring',
  ({ settings }) => {
    const {
      'monitoring.enabled': enabled,
      'monitoring.auto_pause_on_high': pause,
      'monitoring.auto_kill_on_critical': kill,
    } = settings;
    const details = { enabled, auto_pause_on_high: pause, auto_kill_on_critical: kill };
    if (!enabled) return ok('off ([monitoring] enabled)', details);
    if (pause && kill) return ok('on: pauses at level high, kills at level critical', details);
    return finding('warning', 'on, but without automatic action at every level', details, {
      hint: 'Set auto_pause_on_high and auto_kill_on_critical of [monitoring].',
    });
  },
  'MONITORING',
);

export const auditLogDirectory: Check = {
  id: 'audit_log_directory',
  title: 'Audit log',
  group: 'MONITORING',
  run: async (context) => {
    await context.coidStatus();
    return ok('written by coid; `coi audit` shows it');
  },
};

/** A check of a valid configuration; the check `config` reports the problems of an invalid one. */
function configCheck(
  id: string,
  title: string,
  judge: (config: Extract<UserConfig, { kind: 'loaded' }>) => Finding,
  group: Group = 'CONFIGURATION',
): OwnCheck {
  return {
    id,
    title,
    group,
    run: async ({ user: { config } }) =>
      config.kind === 'loaded' ? judge(config) : finding('warning', 'the configuration is invalid'),
  };
}
