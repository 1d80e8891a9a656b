// The start time of the changes that `coi handoff` reports.
import type { EndedReply } from '../../coid-api/ended-protocol.ts';
import type { AppContext } from '../context.ts';
import type { OwnerScope } from '../requests.ts';
import { ownContainers } from '../targets/user-containers.ts';
import { identifyWorkspace, isSessionOf } from '../workspace-names.ts';

/** Start of the oldest running session, else of the last ended one, else a day ago. */
export async function sessionStart(
  app: AppContext,
  scope: OwnerScope,
  workspace: string,
  { open, sessions }: EndedReply,
): Promise<Date> {
  const known = open.map(({ startedAt }) => Date.parse(startedAt));
  // A session that coid does not know was started without it.
  const own = known.length + sessions.length > 0 ? [] : await ownContainers(app, scope);
  const starts = own
    .filter(isSessionOf(identifyWorkspace(app, { workspace })))
    .map(({ instance }) => Date.parse(instance.created_at));
  const all = [...known, ...starts];
  if (all.length > 0) return new Date(Math.min(...all));
  return new Date(sessions[0]?.startedAt ?? app.clock.now().getTime() - dayMs);
}

const dayMs = 86_400_000;
