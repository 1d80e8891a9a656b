// Storage pools that a configuration or a profile names.
import { listProfiles } from '../../config/profile-files.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { quoted } from '../../names.ts';
import { oneLine } from '../../printable.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { rootPool } from '../../session/record/listing.ts';
import { configPaths } from '../config-paths.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { namedElsewhere } from '../disk-use/names-in-use.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { resolveWorkspace } from '../resolve-workspace.ts';

/** Without a pool in the configuration, the one of Incus's default profile counts. */
export async function namedPools(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  own: readonly Container[],
): Promise<{ pools?: ReadonlySet<string> }> {
  const workspace = resolveWorkspace(app, request.workspace);
  const paths = configPaths(app, workspace);
  const profiles = [undefined, ...listProfiles(paths, hostFiles).map(({ name }) => name)];
  const incus = await app.incus();
  const defaultProfile = await incus.profile('default', { signal: app.signal });
  const fallback =
    rootPool(defaultProfile?.devices ?? {}) ||
    (await incus.storagePools({ signal: app.signal }))[0]?.name;
  const pools = new Set<string>();
  for (const profile of profiles) {
    const { settings } = await loadRequestConfig(app, { ...request, profile }, workspace);
    pools.add(settings['container.storage_pool'] || (fallback ?? ''));
  }
  const elsewhere = await namedElsewhere(app, workspace, own);
  const [unread] = elsewhere.unread;
  if (unread !== undefined) {
    app.report.warn(
      `--pools deletes nothing: ${quoted(unread)} cannot be read, and may name a pool`,
    );
    return {};
  }
  for (const name of elsewhere.pools) pools.add(name);
  app.report.warn(
    `storage pools in use: ${[...pools].map(oneLine).join(', ')}; the other pools themselves are kept`,
  );
  return { pools };
}
