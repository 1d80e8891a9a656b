// coi info: one stored session.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { shellQuoted } from '../host/group.ts';
import { parseSessionId } from '../names.ts';
import { meantId } from '../session/meant-id.ts';
import { measured } from '../session/measure.ts';
import type { SessionMetadata } from '../session/metadata.ts';
import {
  belongsTo,
  newestSession,
  type StoredEntry,
  storedSession,
  storedSessions,
} from '../session/stored.ts';
import { tools } from '../tools/list.ts';
import { oneLine } from '../ui/printable.ts';
import { infoJson, infoText } from '../ui/views/info.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig } from './config.ts';
import { flagsOf } from './global.ts';
import { here } from './here.ts';

interface Options extends GlobalOptions {
  format: 'text' | 'json';
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[session-id]',
      'a saved session or its container (default: the newest of the workspace, or of all)',
    )
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json')
    .action((id: string | undefined) => info(app, flagsOf<Options>(command), id));
}

async function info(app: App, options: Options, id: string | undefined): Promise<void> {
  const metadata = id === undefined ? newest(app, options) : one(app, id);
  const { settings } = await lookedUpConfig(app, options);
  const dir = `${app.user.home}/.coi/sessions-${metadata.tool}/${metadata.sessionId}`;
  const stateDir = tools(settings).find(({ name }) => name === metadata.tool)?.stateDirs[0] ?? '.';
  const data = measured(`${dir}/${stateDir}`, hostFiles);
  const model = { metadata, dir, stateDir, data, resume: resume(app, metadata) };
  if (options.json || options.format === 'json') app.io.printJson(infoJson(model));
  else app.io.print(infoText(model).join('\n'));
}

/** A session is only resumed in its own workspace. */
function resume(app: App, metadata: SessionMetadata): string {
  const { workspace, sessionId } = metadata;
  const isHere = workspace === undefined || belongsTo(metadata, here(app, { workspace: '.' }));
  const there = isHere ? [] : [`--workspace=${shellQuoted(workspace)}`];
  return ['coi', 'shell', ...there, `--resume=${sessionId}`].join(' ');
}

function one(app: App, id: string): SessionMetadata {
  const entry = sessionOf(app, id);
  if (entry?.kind === 'saved') return entry.metadata;
  // What `coi list` shows of a session is the name of its container.
  const ofContainer = entry ? undefined : newestSaved(app, ({ container }) => container === id);
  if (ofContainer) return ofContainer;
  throw new CoiError('session-not-found', `session not found: ${oneLine(id)}`, {
    hint:
      entry?.kind === 'broken'
        ? `${entry.dir} is there, but ${entry.problem}.`
        : 'Run `coi list --all` to see saved sessions.',
  });
}

/** Nothing is stored under what cannot be an id either. */
function sessionOf(app: App, id: string): StoredEntry | undefined {
  try {
    const query = { home: app.user.home };
    const given = parseSessionId(id);
    const exact = storedSession(given, query, hostFiles);
    if (exact) return exact;
    const ids = storedSessions(query, hostFiles).flatMap((entry) =>
      entry.kind === 'saved' ? [entry.metadata.sessionId] : [],
    );
    const meant = meantId(given, ids);
    return meant === given ? undefined : storedSession(meant, query, hostFiles);
  } catch (error) {
    if (error instanceof CoiError && error.code === 'usage') return undefined;
    throw error;
  }
}

function newest(app: App, options: Options): SessionMetadata {
  const workspace = here(app, options);
  const found = newestSaved(app, (metadata) => belongsTo(metadata, workspace));
  if (found) return found;
  const ofAll = options.workspace === undefined ? newestSaved(app, () => true) : undefined;
  if (ofAll) {
    app.io.tell(`${workspace.path} has no session; this is the newest of all:`);
    return ofAll;
  }
  throw new CoiError('session-not-found', `no sessions found for ${workspace.path}`, {
    hint: 'Run `coi list --all` to see saved sessions.',
  });
}

function newestSaved(
  app: App,
  isMeant: (metadata: SessionMetadata) => boolean,
): SessionMetadata | undefined {
  return newestSession(storedSessions({ home: app.user.home }, hostFiles), isMeant);
}
