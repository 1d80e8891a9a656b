// Facts about the caller for `coi health`: configuration, store and containers, each read once.
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { canWrite, pathFacts } from '../../host/fs/path-facts.ts';
import { hostZone } from '../../host/linux/time-zone.ts';
import { storedSessions } from '../../session/store/saved-sessions.ts';
import type { ProbeResult, UserConfig, UserFacts } from '../../setup/health-context.ts';
import { allTools } from '../../tools/list.ts';
import { type ConfigScope, readConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { lastFailure } from '../notices/failures.ts';
import { probeSession } from './probe-session.ts';

export async function userFacts(
  app: AppContext,
  of: ConfigScope,
  mayProbe: boolean,
): Promise<UserFacts> {
  const { home, uid } = app.user;
  const config = await userConfig(app, of);
  let probing: Promise<ProbeResult> | undefined;
  const probe = () => {
    probing ??= probeSession(app, of);
    return probing;
  };
  const known = config.kind === 'loaded' ? allTools(config.settings) : [];
  return {
    home,
    uid,
    config,
    zone: hostZone(),
    lastFailure: lastFailure(app),
    hasDesktop: ['/usr/bin/notify-send', `/run/user/${uid}/bus`].every(
      (path) => pathFacts(path).kind === 'file',
    ),
    stored: storedSessions(
      { home, known: (name) => known.find((tool) => tool.name === name) },
      hostFiles,
    ),
    facts: pathFacts,
    writable: canWrite,
    probe: mayProbe ? probe : undefined,
    containers: async () => (await import('../targets/user-containers.ts')).ownContainers(app, {}),
  };
}

async function userConfig(app: AppContext, of: ConfigScope): Promise<UserConfig> {
  try {
    const { settings, warnings, waiting } = await readConfig(app, of);
    return { kind: 'loaded', settings, warnings, waiting: waiting.length };
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return { kind: 'broken', message: error.message, hint: error.hint };
  }
}
