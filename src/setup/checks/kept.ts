// What the caller has: directories, sessions, an image that ages, and what was left behind. For `coi health` only.
import { counted } from '../../counted.ts';
import type { PathFacts } from '../../host/fs/path-facts.ts';
import { cleanable } from '../../session/store/cleaning.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import type { HealthGround } from '../own.ts';
import { withServer } from '../server.ts';

type OwnCheck = Check<HealthGround>;

export const coiDirectory: OwnCheck = {
  id: 'coi_directory',
  title: "coi's directory",
  group: 'STORAGE',
  probe: async ({ own }) => directoryOf(own, `${own.home}/.coi`),
};

export const sessionsDirectory: OwnCheck = {
  id: 'sessions_directory',
  title: 'Saved sessions in',
  group: 'STORAGE',
  probe: async ({ own }) => {
    const tool = own.config.kind === 'loaded' ? own.config.settings['tool.name'] : 'claude';
    return directoryOf(own, `${own.home}/.coi/sessions-${tool}`);
  },
};

function directoryOf(own: HealthGround['own'], path: string): Finding {
  return directoryFinding(path, own.facts(path), own.uid, own.writable(path));
}

/** A directory that coi makes when it needs it, and in which it must be able to write. */
export function directoryFinding(
  path: string,
  facts: PathFacts,
  uid: number,
  writable: boolean,
): Finding {
  const details = { path };
  switch (facts.kind) {
    case 'missing':
      return ok(`${path} is made by the first session`, details);
    case 'directory':
      if (!writable)
        return finding('failed', `${path} cannot be written`, details, {
          hint: `It belongs to uid ${facts.owner.uid}, this is uid ${uid}.`,
        });
      return ok(path, details);
    default:
      return finding('failed', `${path} is no directory that can be read`, details, {
        hint: 'Move it away; coi makes a new one.',
      });
  }
}

export const activeContainers: OwnCheck = {
  id: 'active_containers',
  title: 'Containers',
  group: 'STATUS',
  probe: async (ground) =>
    withServer(ground, undefined, async () => {
      const containers = await ground.own.containers();
      const running = containers.filter(({ status }) => status === 'Running').length;
      const details = { count: containers.length, running };
      return ok(`${containers.length}, ${running} of them running`, details);
    }),
};

export const savedSessions: OwnCheck = {
  id: 'saved_sessions',
  title: 'Saved sessions',
  group: 'STATUS',
  probe: async ({ own }) => {
    const count = own.stored.filter(({ kind }) => kind === 'saved').length;
    return ok(String(count), { count });
  },
};

export const orphanedResources: OwnCheck = {
  id: 'orphaned_resources',
  title: 'Leftovers',
  group: 'STATUS',
  probe: async (ground) =>
    withServer(ground, undefined, async () => {
      const { containers, stored } = ground.own;
      const wish = { all: false, named: [], sessions: false, orphans: true, nowMs: ground.nowMs };
      const left = cleanable(wish, await containers(), stored);
      if (left.length === 0) return ok('none', { count: 0 });
      const about = left.map((item) => item.about);
      return finding(
        'warning',
        `${left.length}: ${about.slice(0, 3).join(', ')}${left.length > 3 ? ', …' : ''}`,
        { count: left.length, leftovers: about },
        { hint: '`coi clean --orphans` takes them away.' },
      );
    }),
};

const dayMs = 24 * 3_600_000;
const imageDays = 30;

export const imageAge: OwnCheck = {
  id: 'image_age',
  title: 'Age of the image',
  group: 'OTHER',
  probe: async (ground) =>
    withServer(ground, undefined, async (incus) => {
      const { signal, imageAlias, nowMs } = ground;
      const image = (await incus.images({ signal })).find(({ aliases }) =>
        aliases.some(({ name }) => name === imageAlias),
      );
      return image
        ? ageFinding(imageAlias, nowMs - Date.parse(image.created_at))
        : ok(`there is no ${imageAlias}`);
    }),
};

export function ageFinding(alias: string, ageMs: number): Finding {
  const days = Math.floor(ageMs / dayMs);
  const text = `${alias} is ${counted(days, 'day')} old`;
  if (days <= imageDays) return ok(text, { days });
  return finding('warning', text, { days }, { hint: 'Build a new one: coi build --force' });
}

export const privilegedProfile: Check = {
  id: 'privileged_profile',
  title: 'Privileged profile',
  group: 'CRITICAL',
  probe: async (ground) =>
    withServer(ground, undefined, async (incus) => {
      const profile = await incus.profile('default', { signal: ground.signal });
      if (profile?.config['security.privileged'] !== 'true')
        return ok('containers are unprivileged');
      return finding(
        'failed',
        'it makes containers privileged: root in them would be root here',
        {},
        { hint: 'incus profile unset default security.privileged' },
      );
    }),
};
