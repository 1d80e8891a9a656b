// The names of each kind, asked for in the cheapest way and given up soon.
import type { App } from '../app.ts';
import { profileNames } from '../config/files.ts';
import { builtInProfiles } from '../config/profile.ts';
import { hostFiles } from '../host/files.ts';
import { readAliases } from '../session/aliases.ts';
import { type Container, coiContainers } from '../session/record.ts';
import { storedSessions } from '../session/stored.ts';
import { workspacePath } from '../session/workspace.ts';
import type { NameKind } from '../ui/completion.ts';

const limitMs = 500;

/** An empty list leaves it to the shell, which offers files. */
export async function candidatesOf(
  app: App,
  kind: NameKind,
  words: readonly string[],
): Promise<string[]> {
  try {
    return await asked(app, kind, words);
  } catch {
    return [];
  }
}

async function asked(app: App, kind: NameKind, words: readonly string[]): Promise<string[]> {
  const { home } = app.user;
  switch (kind) {
    case 'sessions':
      return (await containers(app)).flatMap(({ name, session }) =>
        session?.alias ? [name, session.alias] : [name],
      );
    case 'aliases':
      return Object.keys(readAliases(home, hostFiles));
    case 'profiles': {
      const places = { home, workspace: workspacePath(app.cwd, '.'), cwd: app.cwd, env: app.env };
      return [
        ...Object.keys(builtInProfiles),
        ...profileNames(places, hostFiles).map(({ name }) => name),
      ];
    }
    case 'images': {
      const images = await (await app.incus()).images({ timeoutMs: limitMs });
      return images.flatMap(({ aliases }) => aliases.map(({ name }) => name));
    }
    case 'snapshots':
      return snapshots(app, words);
    case 'saved':
      return storedSessions({ home }, hostFiles).flatMap((entry) =>
        entry.kind === 'saved' ? [entry.metadata.sessionId] : [],
      );
    case 'files':
      return [];
    default:
      return kind satisfies never;
  }
}

async function containers(app: App): Promise<Container[]> {
  const all = await (await app.incus()).instances({ timeoutMs: limitMs });
  return coiContainers(all, app.prefix, app.user.uid);
}

/** Of the container that was named before, or of those of the workspace. */
async function snapshots(app: App, words: readonly string[]): Promise<string[]> {
  const at = words.findIndex((word) => word === '-c' || word === '--container');
  const named = at < 0 ? app.env['COI_CONTAINER'] : words[at + 1];
  const workspace = workspacePath(app.cwd, '.');
  const meant = (await containers(app)).filter(({ name, session }) =>
    named ? name === named || session?.alias === named : session?.workspace === workspace,
  );
  const incus = await app.incus();
  const lists = meant.map(({ name }) => incus.snapshots(name, { timeoutMs: limitMs }));
  return (await Promise.all(lists)).flat().map(({ name }) => name);
}
