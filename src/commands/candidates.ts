// The names of each kind, asked for in the cheapest way and given up soon. Each way is loaded when it is gone.
import type { App } from '../app.ts';
import type { Container } from '../session/record.ts';
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
      return (await containers(app)).flatMap(({ name, session, adopted }) => {
        const alias = session?.alias ?? adopted?.alias;
        return alias ? [name, alias] : [name];
      });
    case 'aliases': {
      const [{ readAliases }, files] = await Promise.all([
        import('../session/aliases.ts'),
        import('../host/files.ts'),
      ]);
      return Object.keys(readAliases(home, files.hostFiles));
    }
    case 'profiles':
      return profiles(app);
    case 'images': {
      const images = await (await app.incus()).images({ timeoutMs: limitMs });
      return images.flatMap(({ aliases }) => aliases.map(({ name }) => name));
    }
    case 'snapshots':
      return snapshots(app, words);
    case 'saved': {
      const [{ storedSessions }, files] = await Promise.all([
        import('../session/stored.ts'),
        import('../host/files.ts'),
      ]);
      return storedSessions({ home }, files.hostFiles).flatMap((entry) =>
        entry.kind === 'saved' ? [entry.metadata.sessionId] : [],
      );
    }
    case 'files':
      return [];
    default:
      return kind satisfies never;
  }
}

async function profiles(app: App): Promise<string[]> {
  const [{ profileNames }, { builtInProfiles }, { hostFiles }, { workspacePath }] =
    await Promise.all([
      import('../config/files.ts'),
      import('../config/profile.ts'),
      import('../host/files.ts'),
      import('../session/workspace.ts'),
    ]);
  const { user, cwd, env } = app;
  const places = { home: user.home, workspace: workspacePath(cwd, '.'), cwd, env };
  return [
    ...Object.keys(builtInProfiles),
    ...profileNames(places, hostFiles).map(({ name }) => name),
  ];
}

async function containers(app: App): Promise<Container[]> {
  const [all, { coiContainersBeside }, { isNobodys }] = await Promise.all([
    app.incus().then((incus) => incus.instances({ timeoutMs: limitMs })),
    import('./beside.ts'),
    import('../session/record.ts'),
  ]);
  const { uid } = app.user;
  const found = await coiContainersBeside(app, all, uid);
  return found.filter((container) => uid === 0 || !isNobodys(container, uid));
}

/** Of the container that was named before, or of those of the workspace. */
async function snapshots(app: App, words: readonly string[]): Promise<string[]> {
  const { here, isOf } = await import('./here.ts');
  const at = words.findIndex((word) => word === '-c' || word === '--container');
  const named = at < 0 ? app.env['COI_CONTAINER'] : words[at + 1];
  const isHere = isOf(here(app, {}));
  const meant = (await containers(app)).filter((container) =>
    named ? container.name === named || container.session?.alias === named : isHere(container),
  );
  const incus = await app.incus();
  const lists = meant.map(({ name }) => incus.snapshots(name, { timeoutMs: limitMs }));
  return (await Promise.all(lists)).flat().map(({ name }) => name);
}
