// Looks up the names of each kind, cheaply and with a short time limit. Modules are loaded on demand.
import type { Container } from '../../session/record/instance-record.ts';
import type { SessionMetadata } from '../../session/record/metadata.ts';
import type { App } from '../app.ts';
import { abbreviateHome } from '../ui/home-path.ts';
import type { Candidate, Completion, NameKind } from './kinds.ts';

const limitMs = 500;

/** No candidates if the lookup fails or takes too long. */
export async function findCandidates(
  app: App,
  kind: NameKind,
  words: readonly string[],
): Promise<Completion> {
  if (kind === 'files') return { candidates: [], files: true };
  try {
    const { candidates, files = false } = await lookUp(app, kind, words);
    return { candidates, files };
  } catch {
    return { candidates: [], files: false };
  }
}

type LookUpResult = Partial<Completion> & Pick<Completion, 'candidates'>;

async function lookUp(
  app: App,
  kind: Exclude<NameKind, 'files'>,
  words: readonly string[],
): Promise<LookUpResult> {
  switch (kind) {
    case 'sessions':
      return { candidates: (await containers(app)).flatMap((one) => sessionNames(app, one)) };
    case 'container-paths': {
      const all = (await containers(app)).flatMap((one) => sessionNames(app, one));
      return { candidates: all.map(({ word, text }) => ({ word: `${word}:`, text })) };
    }
    case 'aliases':
      return { candidates: await aliases(app) };
    case 'trees':
      return { candidates: await trees(app) };
    case 'profiles':
      return { candidates: await profiles(app) };
    case 'images':
      return { candidates: await images(app) };
    case 'snapshots':
      return { candidates: await snapshots(app, words) };
    case 'saved-sessions':
      return { candidates: await saved(app) };
    case 'slots':
      return { candidates: await slots(app) };
    case 'tools':
      return { candidates: await tools() };
    case 'network-modes':
      return { candidates: networkModes };
    case 'keys':
      return { candidates: await keyNames() };
    case 'shells':
      return { candidates: ['bash', 'zsh', 'fish', 'powershell'].map((word) => ({ word })) };
    case 'validate-arguments':
      return { candidates: ['profile', 'config'].map((word) => ({ word })), files: true };
    case 'none':
      return { candidates: [] };
    default:
      return kind satisfies never;
  }
}

const networkModes: readonly Candidate[] = [
  { word: 'restricted', text: 'the internet, no private networks' },
  { word: 'allowlist', text: 'only the listed hosts' },
  { word: 'open', text: 'everything' },
];

function sessionNames(app: App, { name, status, session, adopted }: Container): Candidate[] {
  const text = session
    ? `${session.tool}, slot ${session.slot}, ${status.toLowerCase()}: ${shortPath(app, session.workspace)}`
    : status.toLowerCase();
  const alias = session?.alias ?? adopted?.alias;
  return [...(alias ? [{ word: alias, text }] : []), { word: name, text }];
}

function shortPath({ user }: App, path: string): string {
  return abbreviateHome(path, user.home);
}

async function aliases(app: App): Promise<Candidate[]> {
  const [{ readAliases }, { hostFiles }] = await Promise.all([
    import('../../session/record/aliases.ts'),
    import('../../host/fs/host-files.ts'),
  ]);
  const entries = Object.entries(readAliases(app.user.home, hostFiles));
  return entries.map(([word, { workspace }]) => ({ word, text: shortPath(app, workspace) }));
}

async function trees(app: App): Promise<Candidate[]> {
  const { treesHere } = await import('../../app/trees/find-tree.ts');
  const { sizeText } = await import('../ui/views/changes.ts');
  return (await treesHere(app, undefined)).map(({ record }) => ({
    word: record.branch,
    text: sizeText(record.counts),
  }));
}

async function images(app: App): Promise<Candidate[]> {
  const all = await (await app.incus()).images({ timeoutMs: limitMs });
  return all.flatMap(({ aliases: names, properties }) =>
    names.map(({ name }) => ({ word: name, text: properties['description'] })),
  );
}

async function saved(app: App): Promise<Candidate[]> {
  const [{ storedSessions }, { hostFiles }] = await Promise.all([
    import('../../session/store/saved-sessions.ts'),
    import('../../host/fs/host-files.ts'),
  ]);
  return storedSessions({ home: app.user.home }, hostFiles).flatMap((entry) =>
    entry.kind === 'saved'
      ? [
          {
            word: entry.metadata.sessionId,
            text: savedSessionText(app, entry.metadata),
          },
        ]
      : [],
  );
}

function savedSessionText(app: App, { tool, workspace, savedAt }: SessionMetadata): string {
  const day = savedAt?.toISOString().slice(0, 10);
  return [day, tool, workspace && shortPath(app, workspace)].filter(Boolean).join(', ');
}

async function slots(app: App): Promise<Candidate[]> {
  const [{ identifyWorkspace, isSessionOf }, all] = await Promise.all([
    import('../../app/workspace-names.ts'),
    containers(app),
  ]);
  const isHere = isSessionOf(identifyWorkspace(app, {}));
  return all
    .filter(isHere)
    .flatMap(({ name, session }) =>
      session ? [{ word: String(session.slot), text: `${session.tool}: ${name}` }] : [],
    );
}

/** Built-in agents only: the configuration with custom ones is not read. */
async function tools(): Promise<Candidate[]> {
  const { allTools: all } = await import('../../tools/list.ts');
  return all({ tools: {} }).map(({ name, title }) => ({ word: name, text: title }));
}

async function keyNames(): Promise<Candidate[]> {
  const { keyNames: all, keyOf } = await import('../../config/keys/table.ts');
  const described = all.map((word) => ({ word, text: keyOf(word).doc }));
  return described.filter(({ text }) => !text.startsWith('Without effect'));
}

async function profiles(app: App): Promise<Candidate[]> {
  const [{ configPaths }, { listProfiles }, { builtInProfiles }, { hostFiles }, { workspacePath }] =
    await Promise.all([
      import('../../app/config-paths.ts'),
      import('../../config/profile-files.ts'),
      import('../../config/profile.ts'),
      import('../../host/fs/host-files.ts'),
      import('../../session/plan/workspace.ts'),
    ]);
  const paths = configPaths(app, workspacePath(app.cwd, '.'));
  return [
    ...Object.keys(builtInProfiles).map((word) => ({ word, text: 'built-in' })),
    ...listProfiles(paths, hostFiles).map(({ name, path }) => ({
      word: name,
      text: shortPath(app, path),
    })),
  ];
}

async function containers(app: App): Promise<Container[]> {
  const [all, { listCoiContainers }, { isUnowned }] = await Promise.all([
    app.incus().then((incus) => incus.instances({ timeoutMs: limitMs })),
    import('../../app/other-containers.ts'),
    import('../../session/record/instance-record.ts'),
  ]);
  const { uid } = app.user;
  const found = await listCoiContainers(app, all, uid);
  return found.filter((container) => uid === 0 || !isUnowned(container, uid));
}

/** Snapshots of the container given before, or of the containers of the workspace. */
async function snapshots(app: App, words: readonly string[]): Promise<Candidate[]> {
  const { identifyWorkspace, isSessionOf } = await import('../../app/workspace-names.ts');
  const at = words.findIndex((word) => word === '-c' || word === '--container');
  const named = at < 0 ? app.env['COI_CONTAINER'] : words[at + 1];
  const isHere = isSessionOf(identifyWorkspace(app, {}));
  const selected = (await containers(app)).filter((container) =>
    named ? container.name === named || container.session?.alias === named : isHere(container),
  );
  const incus = await app.incus();
  const lists = selected.map(({ name }) => incus.snapshots(name, { timeoutMs: limitMs }));
  return (await Promise.all(lists)).flat().map(({ name, created_at }) => ({
    word: name,
    text: created_at.slice(0, 16).replace('T', ' '),
  }));
}
