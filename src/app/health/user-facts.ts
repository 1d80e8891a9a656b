// What `coi health` may know of its caller: configuration, store and containers, each looked at once.
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { mayWrite, pathFacts } from '../../host/fs/path-facts.ts';
import { hostZone } from '../../host/linux/time-zone.ts';
import { storedSessions } from '../../session/store/saved-sessions.ts';
import type { OwnConfig, OwnFacts, ProbeAnswer } from '../../setup/own.ts';
import { tools } from '../../tools/list.ts';
import { type ConfigurationOf, lookedUpConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { probeSession } from './probe-session.ts';

export async function ownFacts(
  app: AppContext,
  of: ConfigurationOf,
  mayProbe: boolean,
): Promise<OwnFacts> {
  const { home, uid } = app.user;
  const config = await ownConfig(app, of);
  let probing: Promise<ProbeAnswer> | undefined;
  const probe = () => {
    probing ??= probeSession(app, of);
    return probing;
  };
  const known = config.kind === 'loaded' ? tools(config.settings) : [];
  return {
    home,
    uid,
    config,
    zone: hostZone(),
    stored: storedSessions(
      { home, known: (name) => known.find((tool) => tool.name === name) },
      hostFiles,
    ),
    facts: pathFacts,
    writable: mayWrite,
    probe: mayProbe ? probe : undefined,
    containers: async () => (await import('../targets/user-containers.ts')).ownContainers(app, {}),
  };
}

async function ownConfig(app: AppContext, of: ConfigurationOf): Promise<OwnConfig> {
  try {
    const { settings, warnings, waiting } = await lookedUpConfig(app, of);
    return { kind: 'loaded', settings, warnings, waiting: waiting.length };
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return { kind: 'broken', message: error.message, hint: error.hint };
  }
}
