// The names of each kind, asked for in the cheapest way and given up soon. Each way is loaded when it is gone.
import type { Container } from '../../session/record/instance-record.ts';
import type { SessionMetadata } from '../../session/record/metadata.ts';
import type { App } from '../app.ts';
import { homePath } from '../ui/home-path.ts';
import type { Candidate, Completion, NameKind } from './kinds.ts';

const limitMs = 500;

/** Nothing where a question fails or takes too long. */
export async function candidatesOf(
  app: App,
  kind: NameKind,
  words: readonly string[],
): Promise<Completion> {
  if (kind === 'files') return { candidates: [], files: true };
  try {
    const { candidates, files = false } = await asked(app, kind, words);
    return { candidates, files };
  } catch {
    return { candidates: [], files: false };
  }
}

type Asked = Partial<Completion> & Pick<Completion, 'candidates'>;

async function asked(
  app: App,
  kind: Exclude<NameKind, 'files'>,
  words: readonly string[],
): Promise<Asked> {
  switch (kind) {
    case 'sessions':
      return { candidates: (await containers(app)).flatMap((one) => sessionNames(app, one)) };
    case 'copies': {
      const all = (await containers(app)).flatMap((one) => sessionNames(app, one));
      return { candidates: all.map(({ word, text }) => ({ word: `${word}:`, text })) };
    }
    case 'aliases':
      return { candidates: await aliases(app) };
    case 'profiles':
      return { candidates: await profiles(app) };
    case 'images':
      return { candidates: await images(app) };
    case 'snapshots':
      return { candidates: await snapshots(app, words) };
    case 'saved':
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
    case 'validated':
      return { candidates: ['profile', 'config'].map((word) => ({ word })), files: true };
    case 'nothing':
      return { candidates: [] };
    default:
      return kind satisfies never;
  }
}

const networkModes: readonly Candidate[] = [
  { word: 'restricted', text: 'the internet, no private networks' },
  { word: 'allowlist', text: 'only the hosts that are named' },
  { word: 'open', text: 'everything' },
];

function sessionNames(app: App, { name, status, session, adopted }: Container): Candidate[] {
  const text = session
    ? `${session.tool}, slot ${session.slot}, ${status.toLowerCase()}: ${shortened(app, session.workspace)}`
    : status.toLowerCase();
  const alias = session?.alias ?? adopted?.alias;
  return [...(alias ? [{ word: alias, text }] : []), { word: name, text }];
}

function shortened({ user }: App, path: string): string {
  return homePath(path, user.home);
}

async function aliases(app: App): Promise<Candidate[]> {
  const [{ readAliases }, { hostFiles }] = await Promise.all([
    import('../../session/record/aliases.ts'),
    import('../../host/fs/host-files.ts'),
  ]);
  const entries = Object.entries(readAliases(app.user.home, hostFiles));
  return entries.map(([word, { workspace }]) => ({ word, text: shortened(app, workspace) }));
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
            text: textOf(app, entry.metadata),
          },
        ]
      : [],
  );
}

function textOf(app: App, { tool, workspace, savedAt }: SessionMetadata): string {
  const day = savedAt?.toISOString().slice(0, 10);
  return [day, tool, workspace && shortened(app, workspace)].filter(Boolean).join(', ');
}

async function slots(app: App): Promise<Candidate[]> {
  const [{ here, isOf }, all] = await Promise.all([
    import('../../app/workspace-names.ts'),
    containers(app),
  ]);
  const isHere = isOf(here(app, {}));
  return all
    .filter(isHere)
    .flatMap(({ name, session }) =>
      session ? [{ word: String(session.slot), text: `${session.tool}: ${name}` }] : [],
    );
}

/** Those that coi brings; the names of the user's own are in files that are not read for this. */
async function tools(): Promise<Candidate[]> {
  const { tools: all } = await import('../../tools/list.ts');
  return all({ tools: {} }).map(({ name, title }) => ({ word: name, text: title }));
}

async function keyNames(): Promise<Candidate[]> {
  const { keyNames: all, keyOf } = await import('../../config/keys/table.ts');
  const described = all.map((word) => ({ word, text: keyOf(word).doc }));
  return described.filter(({ text }) => !text.startsWith('Without effect'));
}

async function profiles(app: App): Promise<Candidate[]> {
  const [{ placesIn }, { profileNames }, { builtInProfiles }, { hostFiles }, { workspacePath }] =
    await Promise.all([
      import('../../app/places.ts'),
      import('../../config/profile-files.ts'),
      import('../../config/profile.ts'),
      import('../../host/fs/host-files.ts'),
      import('../../session/plan/workspace.ts'),
    ]);
  const places = placesIn(app, workspacePath(app.cwd, '.'));
  return [
    ...Object.keys(builtInProfiles).map((word) => ({ word, text: 'comes with coi' })),
    ...profileNames(places, hostFiles).map(({ name, path }) => ({
      word: name,
      text: shortened(app, path),
    })),
  ];
}

async function containers(app: App): Promise<Container[]> {
  const [all, { coiContainersBeside }, { isNobodys }] = await Promise.all([
    app.incus().then((incus) => incus.instances({ timeoutMs: limitMs })),
    import('../../app/other-containers.ts'),
    import('../../session/record/instance-record.ts'),
  ]);
  const { uid } = app.user;
  const found = await coiContainersBeside(app, all, uid);
  return found.filter((container) => uid === 0 || !isNobodys(container, uid));
}

/** Of the container that was named before, or of those of the workspace. */
async function snapshots(app: App, words: readonly string[]): Promise<Candidate[]> {
  const { here, isOf } = await import('../../app/workspace-names.ts');
  const at = words.findIndex((word) => word === '-c' || word === '--container');
  const named = at < 0 ? app.env['COI_CONTAINER'] : words[at + 1];
  const isHere = isOf(here(app, {}));
  const meant = (await containers(app)).filter((container) =>
    named ? container.name === named || container.session?.alias === named : isHere(container),
  );
  const incus = await app.incus();
  const lists = meant.map(({ name }) => incus.snapshots(name, { timeoutMs: limitMs }));
  return (await Promise.all(lists)).flat().map(({ name, created_at }) => ({
    word: name,
    text: created_at.slice(0, 16).replace('T', ' '),
  }));
}
