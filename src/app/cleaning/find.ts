// What has ended and can be cleaned, by the configuration of today.
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { type Cleanable, cleanable } from '../../session/store/cleaning.ts';
import { storedSessions } from '../../session/store/saved-sessions.ts';
import { tools } from '../../tools/list.ts';
import { answeringWorkspace } from '../answering-workspace.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { namedPools } from './pools.ts';

export interface CleanWish {
  /** Stopped persistent containers too. */
  readonly all?: boolean | undefined;
  /** Saved sessions of the configured tool, and no containers. */
  readonly sessions?: boolean | undefined;
  readonly orphans?: boolean | undefined;
  /** What is stopped in pools that no profile names. */
  readonly pools?: boolean | undefined;
  /** Containers that go whatever they are. */
  readonly named: readonly string[];
}

/** Returns what finds them among containers: once for the list, and again after it was agreed to. */
export async function cleanableThings(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  { all = false, sessions = false, orphans = false, pools = false, named }: CleanWish,
  own: readonly Container[],
): Promise<(containers: readonly Container[]) => Cleanable[]> {
  const { settings } = await config(app, request, answeringWorkspace(app, request.workspace));
  const known = new Map(tools(settings).map((tool) => [tool.name, tool]));
  const query = {
    home: app.user.home,
    known: (name: string) => known.get(name),
    ...(sessions ? { tool: settings['tool.name'] } : {}),
  };
  const nowMs = app.clock.now().getTime();
  const unused = pools ? await namedPools(app, request, own) : {};
  const wish = { all, named, sessions, orphans, nowMs, ...unused };
  const stored = () => (sessions || orphans ? storedSessions(query, hostFiles) : []);
  return (containers) => cleanable(wish, containers, stored());
}
