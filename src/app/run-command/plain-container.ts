// A guarded container without an agent: for `coi run`, and to build images in.
import {
  type LaunchContext,
  launching,
  launchSteps,
  reserved,
} from '../../session/lifecycle/launch.ts';
import { runSteps } from '../../session/lifecycle/steps.ts';
import type { SessionWish } from '../../session/plan/session-wish.ts';
import { heldWhole } from '../../session/protect/held-whole.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import { whoseFiles } from '../../session/store/ownership-notice.ts';
import { reserveOrStart } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import type { Extras } from '../session-spec/forwards.ts';
import { serverFacts } from '../session-spec/server-facts.ts';

/** Launches it with the usual steps, but without a store. Throws what a failed step means; nothing is left then. */
export async function launchPlain(
  app: AppContext,
  wanted: SessionWish,
  extras?: Extras,
): Promise<ContainerRef> {
  const context: LaunchContext = {
    wish: wanted,
    server: await serverFacts(
      app,
      wanted.fingerprint === undefined ? wanted.image : undefined,
      wanted.storagePool,
    ),
    incus: await app.incus(),
    coid: await reserveOrStart(app),
    makeStore: () => [],
    fillStore: () => {},
    discardStore: async () => {},
    recordSession: () => {},
    plan: undefined,
    reservation: undefined,
  };
  const progress = app.progress();
  const watch = {
    tell: progress.tell,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  };
  await launching(() => runSteps(extras?.steps(launchSteps) ?? launchSteps, context, watch));
  const reservation = reserved(context);
  for (const line of whoseFiles(reservation)) app.report.setup(line);
  for (const line of heldWhole(reservation.mounts)) app.report.warn(line);
  return { name: reservation.container, mountsId: reservation.id };
}
