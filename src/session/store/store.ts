// The session store: `~/.coi/sessions-<tool>/<id>/` contains the tool's state directories, which are mounted, not copied.
// Everything is written before the container starts. On resume the last container may have left anything there, so no links
// are followed and only regular files are read (host/fs/host-files.ts).
import { CoiError } from '../../errors.ts';
import type { Directory, FileReason, HostFiles, Owner } from '../../host/fs/host-files.ts';
import { fillLogins } from '../../logins/fill.ts';
import { loginNotices } from '../../logins/notices.ts';
import type { SessionId } from '../../names.ts';
import { withContext } from '../../tools/context.ts';
import { mergeSettings, parseJsonObject } from '../../tools/settings.ts';
import type { SettingsMerge, Tool, ToolLaunch } from '../../tools/tool.ts';
import { metadataText, type SessionMetadata } from '../record/metadata.ts';
import { clearRegistry } from './agent-registry.ts';
import { carryFiles, storeHas } from './carry.ts';
import { type OwnFileText, writeOwnFile } from './own-files.ts';
import { copySeed, omissionsText } from './seed.ts';

const settingsMaxBytes = 16 * 2 ** 20;
const contextMaxBytes = 2 ** 20;
/** Things that a container may have left in place of a file, and that a rename replaces without touching a link's target. */
const replaceable: readonly FileReason[] = ['link', 'fifo', 'socket', 'device', 'too-big'];

export interface StoreRequest {
  /** Home of the user, with `~/.coi` and the seeds. */
  readonly home: string;
  readonly tool: Tool;
  /** `launch.conversation` determines whether the store is new or resumed. */
  readonly launch: ToolLaunch;
  /** Context text for the agent (tools/context.ts); undefined leaves its file unchanged. */
  readonly context: string | undefined;
  /** `[tool] carry`: files of the user's agent directory; undefined for the tool's default. */
  readonly carry: readonly string[] | undefined;
  /** Host path of the workspace, which settings may refer to. */
  readonly workspace: string;
  /** The store is a copy of another session's, whose login it must not use. */
  readonly copied?: boolean;
  readonly nowMs: number;
  /** Files of coi for this tool, with their texts. */
  readonly ownFiles?: readonly OwnFileText[];
  /** Owner of `~/.coi` and of everything that is not mounted. */
  readonly storeOwner: Owner;
  /** Owner of mounted directories, as in the reservation. Equals `storeOwner`, unless root starts a session for another user. */
  readonly owner: Owner;
}

/** A directory of the store that is mounted. */
export interface StorePart {
  /** Unique, and valid as a device name. */
  readonly name: string;
  /** Real path on the host. */
  readonly source: string;
  /** Path in the container. */
  readonly target: string;
}

export interface StoreDirectories {
  /** Real path of `~/.coi/sessions-<tool>/<id>`. */
  readonly dir: string;
  readonly parts: readonly StorePart[];
}

/** Creates missing directories of a store, which the reservation of a session needs. Throws `store-unusable`. */
export function createStore(request: StoreRequest, files: HostFiles): StoreDirectories {
  return withStoreErrors(files, () => {
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
 * Writes login, settings and context into a store. Returns one sentence per file that could not be copied. Call it only
 * after the session is reserved, because no container may be using the store. Throws `store-unusable`.
 */
export function fillStore(request: StoreRequest, files: HostFiles): readonly string[] {
  return withStoreErrors(files, () => {
    const { tool, launch } = request;
    using session = sessionDirectory(request, files);
    const warnings: string[] = [];
    const resume = launch.conversation.kind === 'resume';
    const { home, owner } = request;
    if (!resume) {
      const { carry: names } = request;
      carryFiles(tool, { session, files, home, guestHome: launch.home, owner, names, warnings });
    }
    clearRegistry(session, tool, files);
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
        copySeed(seed, { session, files, home, owner, resume, warnings, inside, leftOut }) &&
        seed.kind === 'credential',
    );
    const left = omissionsText(tool.title, leftOut);
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
          owner: request.storeOwner,
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
    for (const file of request.ownFiles ?? []) writeOwnFile(session, file, owner, files);
    if (tool.contextFile !== undefined && request.context !== undefined)
      writeContext(session, tool.contextFile, request.context, request, files, warnings);
    return warnings;
  });
}

/** Writes metadata.json, which marks a complete session. Call it when the container has its name, and again at the end. */
export function recordSession(
  request: {
    readonly home: string;
    readonly tool: Pick<Tool, 'sessionsDir'>;
    readonly storeOwner: Owner;
    readonly metadata: SessionMetadata;
    readonly durable?: boolean;
  },
  files: HostFiles,
): void {
  withStoreErrors(files, () => {
    using directory = files.open(
      storePath(request.home, request.tool.sessionsDir, request.metadata.sessionId),
    );
    if (!directory)
      throw new CoiError(
        'store-unusable',
        `the store of session ${request.metadata.sessionId} is gone`,
      );
    directory.write('metadata.json', metadataText(request.metadata), {
      owner: request.storeOwner,
      // fsync takes up to 50 ms on a busy disk; a power failure could only lose the mark of a session that has just begun.
      durable: request.durable ?? false,
    });
  });
}

export function storePath(home: string, sessionsDir: string, id: SessionId): string {
  return `${home}/.coi/${sessionsDir}/${id}`;
}

const hints: Partial<Record<FileReason, string>> = {
  denied:
    'Run `coi clean --ownership` to take ownership of files that the container created as root.',
  full: 'Free disk space; `coi clean --sessions` removes old conversations.',
  directory: 'Remove it (the agent left it there) and try again.',
};

/** Runs `effect` and turns file errors into `store-unusable`. */
export function withStoreErrors<T>(files: HostFiles, effect: () => T): T {
  try {
    return effect();
  } catch (error) {
    const problem = files.asFileError(error);
    if (!problem) throw error;
    const hint = hints[problem.reason];
    throw new CoiError('store-unusable', `the session store cannot be used: ${problem.message}`, {
      hint,
      cause: error,
    });
  }
}

function sessionDirectory(
  { home, tool, launch, storeOwner }: StoreRequest,
  files: HostFiles,
): Directory {
  // ~/.coi or a store in it may be a symlink: no container can write there.
  using existing = files.open(`${home}/.coi/${tool.sessionsDir}`);
  if (existing) return existing.makeDirectory(launch.sessionId, { owner: storeOwner });
  using top = files.open(`${home}/.coi`);
  if (top)
    return top.makeDirectory(`${tool.sessionsDir}/${launch.sessionId}`, { owner: storeOwner });
  using user = files.open(home);
  if (!user) throw new CoiError('store-unusable', `the home directory ${home} does not exist`);
  return user.makeDirectory(`.coi/${tool.sessionsDir}/${launch.sessionId}`, { owner: storeOwner });
}

function makePart(session: Directory, stateDir: string, { storeOwner, owner }: StoreRequest): void {
  const names = stateDir.split('/');
  const last = names.pop() ?? '';
  using parent =
    names.length === 0 ? undefined : session.makeDirectory(names.join('/'), { owner: storeOwner });
  using _part = (parent ?? session).makeDirectory(last, { owner });
}

/** The content of a file that coi is about to rewrite; anything but a regular file counts as missing and is replaced. */
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
    const problem = files.asFileError(error);
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
  const own = before === undefined || before.trim() === '' ? {} : parseJsonObject(before);
  if (own === undefined) {
    if (merges.every(({ adds }) => adds)) return;
    warnings.push(`${path} of the session is not a readable JSON object and was rewritten`);
  }
  const after = merges.reduce(
    (json, { at, values, adds }) => mergeAt(json, at ?? [], values, adds ?? false),
    own ?? {},
  );
  const text = `${JSON.stringify(after, null, 2)}\n`;
  if (text !== before) session.write(path, text, { owner, durable: false });
}

function mergeAt(
  own: Readonly<Record<string, unknown>>,
  at: readonly string[],
  values: Readonly<Record<string, unknown>>,
  joinArrays: boolean,
): Readonly<Record<string, unknown>> {
  const [key, ...rest] = at;
  if (key === undefined) return mergeSettings(own, values, joinArrays);
  const inner = own[key];
  return {
    ...own,
    [key]: mergeAt(
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {},
      rest,
      values,
      joinArrays,
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
