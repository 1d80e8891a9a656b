// Finds ended items that can be cleaned, by the current configuration.
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { type Cleanable, findCleanable } from '../../session/store/cleanable.ts';
import { storedSessions } from '../../session/store/saved-sessions.ts';
import { allTools } from '../../tools/list.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { resolveWorkspace } from '../resolve-workspace.ts';
import { namedPools } from './pools.ts';

export interface CleanRequest {
  /** Stopped persistent containers too. */
  readonly all?: boolean | undefined;
  /** Saved sessions of the configured tool, and no containers. */
  readonly sessions?: boolean | undefined;
  readonly orphans?: boolean | undefined;
  /** Stopped containers in pools that no profile names. */
  readonly pools?: boolean | undefined;
  /** Containers to delete in any case. */
  readonly named: readonly string[];
}

/** Returns a function that finds them among containers: for the list, and again after the user has agreed. */
export async function cleanableFinder(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  { all = false, sessions = false, orphans = false, pools = false, named }: CleanRequest,
  own: readonly Container[],
): Promise<(containers: readonly Container[]) => Cleanable[]> {
  const { settings } = await loadRequestConfig(
    app,
    request,
    resolveWorkspace(app, request.workspace),
  );
  const known = new Map(allTools(settings).map((tool) => [tool.name, tool]));
  const query = {
    home: app.user.home,
    known: (name: string) => known.get(name),
    ...(sessions ? { tool: settings['tool.name'] } : {}),
  };
  const nowMs = app.clock.now().getTime();
  const unused = pools ? await namedPools(app, request, own) : {};
  const selection = { all, named, sessions, orphans, nowMs, ...unused };
  const stored = () => (sessions || orphans ? storedSessions(query, hostFiles) : []);
  return (containers) => findCleanable(selection, containers, stored());
}
