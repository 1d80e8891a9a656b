// Gets the container of a selected session running: launches, resumes, restarts or joins it.
import { deleteStopped, waitForCoidDelete } from '../../session/lifecycle/end-container.ts';
import { waitUntilCreated } from '../../session/lifecycle/incus-operations.ts';
import { containerOutcome } from '../../session/lifecycle/outcome.ts';
import type { StepEvent } from '../../session/lifecycle/steps.ts';
import { type SessionChoice, sessionLive } from '../../session/record/choose-session.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { joinContainer } from './join.ts';
import { launchSession } from './launch.ts';
import type { LiveSession } from './live-session.ts';
import { restartSession } from './restart.ts';
import type { ReadySession } from './session-agent.ts';

export async function startSession(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  report: (event: StepEvent) => void,
): Promise<LiveSession> {
  const { choice } = selected;
  switch (choice.kind) {
    case 'new':
      return launchSession(app, request, selected, { slot: choice.slot, saved: undefined }, report);
    case 'resume':
      await awaitLastEnd(app, choice);
      return launchSession(app, request, selected, choice, report);
    case 'restart':
      return restartSession(app, request, selected, choice, report);
    case 'join':
      return joinContainer(app, request, selected, choice);
    default:
      return choice satisfies never;
  }
}

/**
 * Waits until the last container of a session is gone, before the store and the name are used again.
 * Throws `session-live` if it only restarted.
 */
async function awaitLastEnd(
  app: AppContext,
  { saved, leftover }: SessionChoice & { kind: 'resume' },
) {
  if (!leftover) return;
  const { name, session } = leftover;
  const incus = await app.incus();
  await waitUntilCreated(incus, leftover.instance, app.signal);
  const outcome = await containerOutcome(incus, name, session.mounts.id, true, app.signal);
  if (outcome.kind === 'running' || outcome.kind === 'frozen') throw sessionLive(saved, name);
  const ref = refOf(leftover.instance);
  if (outcome.kind !== 'removed' || (await waitForCoidDelete(incus, ref, leftover.instance)))
    return;
  const deleted = await deleteStopped(incus, ref, app.signal);
  if (deleted === 'runs') throw sessionLive(saved, name);
}
