// From a selected session to one whose container runs: a new one, a resumed one, a stopped one started again, or one that
// runs already.
import { deletedByCoid, deleteStopped } from '../../session/lifecycle/end-container.ts';
import { untilMade } from '../../session/lifecycle/incus-operations.ts';
import { outcomeOf } from '../../session/lifecycle/outcome.ts';
import type { StepEvent } from '../../session/lifecycle/steps.ts';
import { type Choice, sessionLive } from '../../session/record/choose-session.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { joined } from './join.ts';
import { launched } from './launch.ts';
import type { LiveSession } from './live-session.ts';
import { restarted } from './restart.ts';
import type { ReadySession } from './session-agent.ts';

export async function startSession(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  tell: (event: StepEvent) => void,
): Promise<LiveSession> {
  const { choice } = selected;
  switch (choice.kind) {
    case 'new':
      return launched(app, request, selected, { slot: choice.slot, saved: undefined }, tell);
    case 'resume':
      await endedBefore(app, choice);
      return launched(app, request, selected, choice, tell);
    case 'restart':
      return restarted(app, request, selected, choice, tell);
    case 'join':
      return joined(app, request, selected, choice);
    default:
      return choice satisfies never;
  }
}

/**
 * The last container of a session has to be gone before its store is used again, and its name with it.
 * Throws `session-live` if it only restarted.
 */
async function endedBefore(app: AppContext, { saved, leftover }: Choice & { kind: 'resume' }) {
  if (!leftover) return;
  const { name, session } = leftover;
  const incus = await app.incus();
  await untilMade(incus, leftover.instance, app.signal);
  const outcome = await outcomeOf(incus, name, session.mounts.id, true, app.signal);
  if (outcome.kind === 'running' || outcome.kind === 'frozen') throw sessionLive(saved, name);
  const ref = refOf(leftover.instance);
  if (outcome.kind !== 'removed' || (await deletedByCoid(incus, ref, leftover.instance))) return;
  const deleted = await deleteStopped(incus, ref, app.signal);
  if (deleted === 'runs') throw sessionLive(saved, name);
}
