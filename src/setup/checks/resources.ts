// Checks of the user's directories, sessions, image and leftovers, for `coi health` only.

import type { PathFacts } from '../../host/fs/path-facts.ts';
import { pluralize } from '../../pluralize.ts';
import { findCleanable } from '../../session/store/cleanable.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import type { HealthContext } from '../health-context.ts';
import { withServer } from '../server.ts';

type OwnCheck = Check<HealthContext>;

export const coiDirectory: OwnCheck = {
  id: 'coi_directory',
  title: 'coi directory',
  group: 'STORAGE',
  run: async ({ user }) => directoryOf(user, `${user.home}/.coi`),
};

export const sessionsDirectory: OwnCheck = {
  id: 'sessions_directory',
  title: 'Session store',
  group: 'STORAGE',
  run: async ({ user }) => {
    const tool = user.config.kind === 'loaded' ? user.config.settings['tool.name'] : 'claude';
    return directoryOf(user, `${user.home}/.coi/sessions-${tool}`);
  },
};

function directoryOf(user: HealthContext['user'], path: string): Finding {
  return directoryFinding(path, user.facts(path), user.uid, user.writable(path));
}

/** A directory that coi creates on demand and must be able to write to. */
export function directoryFinding(
  path: string,
  facts: PathFacts,
  uid: number,
  writable: boolean,
): Finding {
  const details = { path };
  switch (facts.kind) {
    case 'missing':
      return ok(`${path} is created by the first session`, details);
    case 'directory':
      if (!writable)
        return finding('failed', `${path} is not writable`, details, {
          hint: `Change its owner or mode: it belongs to uid ${facts.owner.uid}, you are uid ${uid}.`,
        });
      return ok(path, details);
    default:
      return finding('failed', `${path} is not a readable directory`, details, {
        hint: 'Move it away; coi creates a new one.',
      });
  }
}

export const activeContainers: OwnCheck = {
  id: 'active_containers',
  title: 'Containers',
  group: 'STATUS',
  run: async (context) =>
    withServer(context, undefined, async () => {
      const containers = await context.user.containers();
      const running = containers.filter(({ status }) => status === 'Running').length;
      const details = { count: containers.length, running };
      return ok(`${containers.length}, ${running} of them running`, details);
    }),
};

export const savedSessions: OwnCheck = {
  id: 'saved_sessions',
  title: 'Saved sessions',
  group: 'STATUS',
  run: async ({ user }) => {
    const count = user.stored.filter(({ kind }) => kind === 'saved').length;
    return ok(String(count), { count });
  },
};

export const orphanedResources: OwnCheck = {
  id: 'orphaned_resources',
  title: 'Leftovers',
  group: 'STATUS',
  run: async (context) =>
    withServer(context, undefined, async () => {
      const { containers, stored } = context.user;
      const request = {
        all: false,
        named: [],
        sessions: false,
        orphans: true,
        nowMs: context.nowMs,
      };
      const left = findCleanable(request, await containers(), stored);
      if (left.length === 0) return ok('none', { count: 0 });
      const about = left.map((item) => item.about);
      return finding(
        'warning',
        `${left.length}: ${about.slice(0, 3).join(', ')}${left.length > 3 ? ', …' : ''}`,
        { count: left.length, leftovers: about },
        { hint: 'Run `coi clean --orphans` to remove them.' },
      );
    }),
};

const dayMs = 24 * 3_600_000;
const imageDays = 30;

export const imageAge: OwnCheck = {
  id: 'image_age',
  title: 'Image age',
  group: 'OTHER',
  run: async (context) =>
    withServer(context, undefined, async (incus) => {
      const { signal, imageAlias, nowMs } = context;
      const image = (await incus.images({ signal })).find(({ aliases }) =>
        aliases.some(({ name }) => name === imageAlias),
      );
      return image
        ? ageFinding(imageAlias, nowMs - Date.parse(image.created_at))
        : ok(`${imageAlias} does not exist`);
    }),
};

export function ageFinding(alias: string, ageMs: number): Finding {
  const days = Math.floor(ageMs / dayMs);
  const text = `${alias} is ${pluralize(days, 'day')} old`;
  if (days <= imageDays) return ok(text, { days });
  return finding('warning', text, { days }, { hint: 'Run `coi build --force`.' });
}

export const privilegedProfile: Check = {
  id: 'privileged_profile',
  title: 'Privileged profile',
  group: 'CRITICAL',
  run: async (context) =>
    withServer(context, undefined, async (incus) => {
      const profile = await incus.profile('default', { signal: context.signal });
      if (profile?.config['security.privileged'] !== 'true')
        return ok('containers are unprivileged');
      return finding(
        'failed',
        'the default profile makes containers privileged: their root would be root on this host',
        {},
        { hint: 'Run `incus profile unset default security.privileged`.' },
      );
    }),
};
