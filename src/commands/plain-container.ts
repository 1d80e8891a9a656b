// A guarded container without an agent: for `coi run`, and to build images in.
import type { App } from '../app.ts';
import type { ContainerRef } from '../session/container-ref.ts';
import { heldWhole } from '../session/held-whole.ts';
import { type LaunchContext, launching, launchSteps, reserved } from '../session/launch.ts';
import type { SessionWish } from '../session/plan.ts';
import { runSteps, type StepEvent } from '../session/steps.ts';
import { whoseFiles } from '../session/whose-files.ts';
import { stepProgress } from '../ui/progress.ts';
import type { Timing } from '../ui/timing.ts';
import { setupFact } from './announce.ts';
import { reserveOrStart } from './coid.ts';
import type { Extras } from './extras.ts';
import { serverFacts } from './prepare.ts';

/** Launches it with the usual steps, but without a store. Throws what a failed step means; nothing is left then. */
export async function launchPlain(
  app: App,
  wanted: SessionWish,
  extras?: Extras,
  timing?: Pick<Timing, 'tell'>,
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
  const progress = stepProgress(app.io);
  const watch = {
    tell: (event: StepEvent) => {
      progress.tell(event);
      timing?.tell(event);
    },
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  };
  await launching(() => runSteps(extras?.steps(launchSteps) ?? launchSteps, context, watch));
  const reservation = reserved(context);
  for (const line of whoseFiles(reservation)) setupFact(app, line);
  for (const line of heldWhole(reservation.mounts)) app.io.warn(line);
  return { name: reservation.container, mountsId: reservation.id };
}
