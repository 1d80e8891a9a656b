// Network reports of running sessions, and the policy that the next session would get.
import type { NetworkReport } from '../../coid-api/network-protocol.ts';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { findContainer } from '../../session/record/find-container.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { sessionPolicy } from '../session-spec/network-policy.ts';
import { ownContainers } from '../targets/user-containers.ts';
import { checkWorkspace } from '../workspace.ts';
import { identifyWorkspace, isSessionOf } from '../workspace-names.ts';

export interface NetworkRequest extends SessionTarget, ConfigurationRequest {
  /** By name or alias. Undefined: all running sessions of the workspace. */
  readonly container?: string | undefined;
}

/** Throws `session-not-found` if there is none. */
export async function sessionReports(
  app: AppContext,
  request: NetworkRequest,
): Promise<NetworkReport[]> {
  const reports = await liveReports(app, request);
  if (reports.length > 0) return reports;
  throw noRunningSession();
}

export function noRunningSession(): CoiError {
  return new CoiError('session-not-found', 'no session is running in this workspace', {
    hint: 'Name one with --container; `coi list` shows them.',
  });
}

/** Empty if the last session has ended meanwhile. */
export async function liveReportsOrNone(
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

/** The named session, or all running sessions of the workspace. */
export async function liveContainers(
  app: AppContext,
  request: NetworkRequest,
): Promise<Container[]> {
  const own = await ownContainers(app, request);
  const isHere = isSessionOf(identifyWorkspace(app, request));
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
  const { workspace } = checkWorkspace(app, request.workspace);
  const { settings } = await loadRequestConfig(app, request, workspace);
  return sessionPolicy(app, settings);
}

/** Addresses from the host's resolver; queries of the session may be answered differently. */
export async function resolveHost(host: string): Promise<string[]> {
  const { lookup } = await import('node:dns/promises');
  try {
    return (await lookup(host, { all: true, family: 4 })).map(({ address }) => address);
  } catch {
    // Unknown name, or no DNS server: then only the name is checked.
    return [];
  }
}
