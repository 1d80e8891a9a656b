// The session store: `~/.coi/sessions-<tool>/<id>/` holds what the tool keeps in its home, and is mounted, not copied.
// All is written before the container starts. On resume the last container may have left anything there, so every
// path is walked without following links, and only regular files are read (host/fs/host-files.ts).
import { CoiError } from '../../errors.ts';
import type { Directory, FileReason, HostFiles, Owner } from '../../host/fs/host-files.ts';
import { fillLogins } from '../../logins/fill.ts';
import { loginNotices } from '../../logins/notices.ts';
import type { SessionId } from '../../names.ts';
import { withContext } from '../../tools/context.ts';
import { jsonObject, mergedSettings } from '../../tools/settings.ts';
import type { SettingsMerge, Tool, ToolLaunch } from '../../tools/shape.ts';
import { metadataText, type SessionMetadata } from '../record/metadata.ts';
import { carryInto, storeHas } from './carry.ts';
import { leftOutText, plantSeed } from './seed.ts';

const settingsMaxBytes = 16 * 2 ** 20;
const contextMaxBytes = 2 ** 20;
/** What a container may have left in the place of a file, and a rename puts away without touching what it leads to. */
const replaceable: readonly FileReason[] = ['link', 'fifo', 'socket', 'device', 'too-big'];

export interface StoreRequest {
  /** Home of the user that coi works for: `~/.coi` and the seeds are there. */
  readonly home: string;
  readonly tool: Tool;
  /** `conversation` decides whether this is a new store or a resumed one. */
  readonly launch: ToolLaunch;
  /** What the agent is told (tools/context.ts); undefined leaves its file alone. */
  readonly context: string | undefined;
  /** `[tool] carry`: files of the user's agent directory; undefined is what the tool says. */
  readonly carry: readonly string[] | undefined;
  /** The workspace on the host, which settings may name. */
  readonly workspace: string;
  /** Its store is a copy of another session's, whose login it must not go on with. */
  readonly copied?: boolean;
  readonly nowMs: number;
  /** Who owns `~/.coi` and what is not mounted. */
  readonly keeper: Owner;
  /** Who owns what is mounted: the owner of the reservation's mounts. The keeper, unless root works for somebody else. */
  readonly owner: Owner;
}

/** One directory of the store that becomes a mount. */
export interface StorePart {
  /** Safe as a device name, unique. */
  readonly name: string;
  /** On the host, without links. */
  readonly source: string;
  /** In the container. */
  readonly target: string;
}

export interface MadeStore {
  /** `~/.coi/sessions-<tool>/<id>`, without links. */
  readonly dir: string;
  readonly parts: readonly StorePart[];
}

/** Makes the directories of a store, where they are missing: all that a session needs to be claimed. Throws `store-unusable`. */
export function makeStore(request: StoreRequest, files: HostFiles): MadeStore {
  return guarded(files, () => {
    const { tool, launch } = request;
    using session = sessionDirectory(request, files);
    const dir = session.realPath();
    const parts = tool.stateDirs.map((stateDir, index) => {
      makePart(session, stateDir, request);
      return {
        name: `state-${index + 1}`,
        source: `${dir}/${stateDir}`,
        target: `${launch.home}/${stateDir}`,
      };
    });
    return { dir, parts };
  });
}

/**
 * Writes into a store what a start brings: login, settings, what the agent is told. Returns what could not be taken
 * over, one sentence each. Only for who has claimed the session, since no container may run it. Throws `store-unusable`.
 */
export function fillStore(request: StoreRequest, files: HostFiles): readonly string[] {
  return guarded(files, () => {
    const { tool, launch } = request;
    using session = sessionDirectory(request, files);
    const warnings: string[] = [];
    const resume = launch.conversation.kind === 'resume';
    const { home, owner } = request;
    if (!resume) {
      const { carry: names } = request;
      carryInto(tool, { session, files, home, guestHome: launch.home, owner, names, warnings });
    }
    const inside = {
      hostHome: home,
      guestHome: launch.home,
      workspace: request.workspace,
      target: launch.workspace,
      has: storeHas(session, files),
    };
    const leftOut = { programs: [], others: [] };
    const login = tool.seeds.filter(
      (seed) =>
        plantSeed(seed, { session, files, home, owner, resume, warnings, inside, leftOut }) &&
        seed.kind === 'credential',
    );
    const left = leftOutText(tool.title, leftOut);
    if (left !== undefined) warnings.push(left);
    const filled =
      tool.login &&
      fillLogins(
        {
          file: tool.login,
          home: request.home,
          session: launch.sessionId,
          store: session,
          copied: request.copied ?? false,
          owner: request.keeper,
          nowMs: request.nowMs,
        },
        files,
      );
    if (filled) warnings.push(...filled.warnings, ...loginNotices(tool, filled.memory));
    const canLogIn =
      filled?.has === true ||
      login.length > 0 ||
      (tool.loginVariables ?? []).some((name) => launch.variables?.includes(name));
    const merges = tool.settings(launch).filter((merge) => canLogIn || !merge.onlyWithLogin);
    for (const [path, ofPath] of Map.groupBy(merges, (merge) => merge.path))
      mergeInto(session, path, ofPath, request, files, warnings);
    if (tool.contextFile !== undefined && request.context !== undefined)
      writeContext(session, tool.contextFile, request.context, request, files, warnings);
    return warnings;
  });
}

/** Writes metadata.json, the mark of a whole session. Call it when the container has its name, and again at the end. */
export function recordSession(
  request: {
    readonly home: string;
    readonly tool: Pick<Tool, 'sessionsDir'>;
    readonly keeper: Owner;
    readonly metadata: SessionMetadata;
    readonly durable?: boolean;
  },
  files: HostFiles,
): void {
  guarded(files, () => {
    using directory = files.open(
      storePath(request.home, request.tool.sessionsDir, request.metadata.sessionId),
    );
    if (!directory)
      throw new CoiError(
        'store-unusable',
        `the store of session ${request.metadata.sessionId} is gone`,
      );
    directory.write('metadata.json', metadataText(request.metadata), {
      owner: request.keeper,
      // fsync costs up to 50 ms on a busy disk; what a loss of power could take is only the mark of a session just begun.
      durable: request.durable ?? false,
    });
  });
}

export function storePath(home: string, sessionsDir: string, id: SessionId): string {
  return `${home}/.coi/${sessionsDir}/${id}`;
}

const hints: Partial<Record<FileReason, string>> = {
  denied: 'Files that the container made as root are given back by `coi clean --ownership`.',
  full: 'Make room on the disk; `coi clean --sessions` removes old conversations.',
  directory: 'The agent left it there: remove it, and try again.',
};

/** Runs `effect`; what goes wrong with a path becomes `store-unusable`. */
export function guarded<T>(files: HostFiles, effect: () => T): T {
  try {
    return effect();
  } catch (error) {
    const problem = files.problem(error);
    if (!problem) throw error;
    const hint = hints[problem.reason];
    throw new CoiError('store-unusable', `the session store cannot be used: ${problem.message}`, {
      hint,
      cause: error,
    });
  }
}

function sessionDirectory(
  { home, tool, launch, keeper }: StoreRequest,
  files: HostFiles,
): Directory {
  // The user may keep ~/.coi or a store in it elsewhere, as a link: no container can write there.
  using existing = files.open(`${home}/.coi/${tool.sessionsDir}`);
  if (existing) return existing.makeDirectory(launch.sessionId, { owner: keeper });
  using top = files.open(`${home}/.coi`);
  if (top) return top.makeDirectory(`${tool.sessionsDir}/${launch.sessionId}`, { owner: keeper });
  using user = files.open(home);
  if (!user) throw new CoiError('store-unusable', `the home directory ${home} does not exist`);
  return user.makeDirectory(`.coi/${tool.sessionsDir}/${launch.sessionId}`, { owner: keeper });
}

function makePart(session: Directory, stateDir: string, { keeper, owner }: StoreRequest): void {
  const names = stateDir.split('/');
  const last = names.pop() ?? '';
  using parent =
    names.length === 0 ? undefined : session.makeDirectory(names.join('/'), { owner: keeper });
  using _part = (parent ?? session).makeDirectory(last, { owner });
}

/** The content of a file that coi is about to write anew; what is no proper file counts as missing, and is replaced. */
function ownContent(
  session: Directory,
  path: string,
  maxBytes: number,
  files: HostFiles,
  warnings: string[],
): string | undefined {
  try {
    return session.read(path, { maxBytes })?.text;
  } catch (error) {
    const problem = files.problem(error);
    if (!problem || !replaceable.includes(problem.reason)) throw error;
    warnings.push(`${problem.message}; it was not read and is replaced`);
    return undefined;
  }
}

function mergeInto(
  session: Directory,
  path: string,
  merges: readonly SettingsMerge[],
  { owner }: StoreRequest,
  files: HostFiles,
  warnings: string[],
): void {
  const before = ownContent(session, path, settingsMaxBytes, files, warnings);
  const own = before === undefined || before.trim() === '' ? {} : jsonObject(before);
  if (own === undefined)
    warnings.push(
      `${path} of the session is no JSON object that can be read, and was written anew`,
    );
  const after = merges.reduce(
    (json, { at, values }) => mergedAt(json, at ?? [], values),
    own ?? {},
  );
  const text = `${JSON.stringify(after, null, 2)}\n`;
  if (text !== before) session.write(path, text, { owner, durable: false });
}

function mergedAt(
  own: Readonly<Record<string, unknown>>,
  at: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const [key, ...rest] = at;
  if (key === undefined) return mergedSettings(own, values);
  const inner = own[key];
  return {
    ...own,
    [key]: mergedAt(
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {},
      rest,
      values,
    ),
  };
}

function writeContext(
  session: Directory,
  path: string,
  text: string,
  { owner }: StoreRequest,
  files: HostFiles,
  warnings: string[],
): void {
  const before = ownContent(session, path, contextMaxBytes, files, warnings) ?? '';
  const after = withContext(before, text);
  if (after !== before) session.write(path, after, { owner, durable: false });
}
