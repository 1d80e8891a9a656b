// Launches a container without an agent, for `coi run` and image builds.
import { randomUUID } from 'node:crypto';
import {
  type LaunchContext,
  launchSteps,
  reservationOf,
  retryLaunch,
} from '../../session/lifecycle/launch.ts';
import { runSteps } from '../../session/lifecycle/steps.ts';
import type { SessionSpec } from '../../session/plan/session-spec.ts';
import { lockedTreeNotices } from '../../session/protect/locked-trees.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import { ownershipNotices } from '../../session/store/ownership-notice.ts';
import { autostartingCoid } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import type { Extras } from '../session-spec/forwards.ts';
import { serverFacts } from '../session-spec/server-facts.ts';

/** Runs the usual launch steps, but without a store. Throws if a step fails, after undoing the others. */
export async function launchPlain(
  app: AppContext,
  wanted: SessionSpec,
  extras?: Extras,
): Promise<ContainerRef> {
  const context: LaunchContext = {
    spec: wanted,
    server: await serverFacts(
      app,
      wanted.fingerprint === undefined ? wanted.image : undefined,
      wanted.storagePool,
    ),
    incus: await app.incus(),
    coid: await autostartingCoid(app),
    createStore: () => [],
    fillStore: () => {},
    discardStore: async () => {},
    recordSession: () => {},
    plan: undefined,
    reservation: undefined,
    startId: randomUUID(),
  };
  const progress = app.progress();
  const watch = {
    report: progress.update,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  };
  await retryLaunch(() => runSteps(extras?.steps(launchSteps) ?? launchSteps, context, watch));
  const reservation = reservationOf(context);
  for (const line of ownershipNotices(reservation)) app.report.setup(line);
  for (const line of lockedTreeNotices(reservation.mounts)) app.report.warn(line);
  return { name: reservation.container, mountsId: reservation.id };
}
