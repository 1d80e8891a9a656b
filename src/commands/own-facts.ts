// What `coi health` may know of its caller: configuration, store and containers, each looked at once.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { mayWrite, pathFacts } from '../host/facts.ts';
import { hostFiles } from '../host/files.ts';
import { hostZone } from '../host/zone.ts';
import { storedSessions } from '../session/stored.ts';
import type { OwnConfig, OwnFacts, ProbeAnswer } from '../setup/own.ts';
import { tools } from '../tools/list.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig } from './config.ts';
import { probeSession } from './probe-session.ts';

export async function ownFacts(
  app: App,
  options: Partial<GlobalOptions>,
  mayProbe: boolean,
): Promise<OwnFacts> {
  const { home, uid } = app.user;
  const config = await ownConfig(app, options);
  let probing: Promise<ProbeAnswer> | undefined;
  const probe = () => {
    probing ??= probeSession(app, options);
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
    containers: async () => (await import('./containers.ts')).ownContainers(app, {}),
  };
}

async function ownConfig(app: App, options: Partial<GlobalOptions>): Promise<OwnConfig> {
  try {
    const { settings, warnings, waiting } = await lookedUpConfig(app, options);
    return { kind: 'loaded', settings, warnings, waiting: waiting.length };
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return { kind: 'broken', message: error.message, hint: error.hint };
  }
}
