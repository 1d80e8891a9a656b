// What coid says of the networks of sessions that run, and what the next one would get.
import type { NetworkReport } from '../../coid-api/network-protocol.ts';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { findContainer } from '../../session/record/lookup.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { sessionPolicy } from '../session-spec/network-policy.ts';
import { ownContainers } from '../targets/user-containers.ts';
import { place } from '../workspace.ts';
import { here, isOf } from '../workspace-names.ts';

export interface NetworkRequest extends SessionTarget, ConfigurationRequest {
  /** By name or alias; all that run in the workspace where it is not given. */
  readonly container?: string | undefined;
}

/** Throws `session-not-found` where there is none. */
export async function sessionReports(
  app: AppContext,
  request: NetworkRequest,
): Promise<NetworkReport[]> {
  const reports = await liveReports(app, request);
  if (reports.length > 0) return reports;
  throw noneHere();
}

export function noneHere(): CoiError {
  return new CoiError('session-not-found', 'no session runs in this workspace', {
    hint: 'Name one with --container; `coi list` shows them.',
  });
}

/** None where the last of them has ended meanwhile. */
export async function liveReportsLeft(
  app: AppContext,
  request: NetworkRequest,
): Promise<NetworkReport[]> {
  try {
    return await liveReports(app, request);
  } catch (error) {
    if (error instanceof CoiError && error.code === 'session-not-found') return [];
    throw error;
  }
}

export async function liveReports(
  app: AppContext,
  request: NetworkRequest,
): Promise<NetworkReport[]> {
  const containers = await liveContainers(app, request);
  const coid = await app.coid();
  return Promise.all(containers.map(({ name }) => coid.network(name, { signal: app.signal })));
}

/** That of the session that is named, or all that run in the workspace. */
export async function liveContainers(
  app: AppContext,
  request: NetworkRequest,
): Promise<Container[]> {
  const own = await ownContainers(app, request);
  const isHere = isOf(here(app, request));
  const chosen =
    request.container === undefined
      ? own.filter((container) => container.status !== 'Stopped' && isHere(container))
      : [findContainer(app, own, request.container)];
  if (chosen.includes(undefined))
    throw new CoiError(
      'session-not-found',
      `container ${quoted(request.container ?? '')} not found`,
      { hint: 'Run `coi list` to see your sessions.' },
    );
  return chosen.flatMap((container) => container ?? []);
}

export async function configuredPolicy(app: AppContext, request: NetworkRequest) {
  const { workspace } = place(app, request.workspace);
  const { settings } = await config(app, request, workspace);
  return sessionPolicy(app, settings);
}

/** What the host's resolver says now; the session's own questions may be answered otherwise. */
export async function resolved(host: string): Promise<string[]> {
  const { lookup } = await import('node:dns/promises');
  try {
    return (await lookup(host, { all: true, family: 4 })).map(({ address }) => address);
  } catch {
    // No such name, or no server to ask: then the name alone is judged.
    return [];
  }
}
