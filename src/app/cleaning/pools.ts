// Storage pools that no configuration and no profile names.
import { profileNames } from '../../config/profile-files.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { quoted } from '../../names.ts';
import { oneLine } from '../../printable.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { rootPool } from '../../session/record/listing.ts';
import { answeringWorkspace } from '../answering-workspace.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { namedElsewhere } from '../disk-use/named-elsewhere.ts';
import { placesIn } from '../places.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';

/** Those that some configuration or profile names; where none is named here it is the default profile's of Incus. */
export async function namedPools(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  own: readonly Container[],
): Promise<{ pools?: ReadonlySet<string> }> {
  const workspace = answeringWorkspace(app, request.workspace);
  const places = placesIn(app, workspace);
  const profiles = [undefined, ...profileNames(places, hostFiles).map(({ name }) => name)];
  const incus = await app.incus();
  const usual = await incus.profile('default', { signal: app.signal });
  const fallback =
    rootPool(usual?.devices ?? {}) || (await incus.storagePools({ signal: app.signal }))[0]?.name;
  const pools = new Set<string>();
  for (const profile of profiles) {
    const { settings } = await config(app, { ...request, profile }, workspace);
    pools.add(settings['container.storage_pool'] || (fallback ?? ''));
  }
  const elsewhere = await namedElsewhere(app, workspace, own);
  const [unread] = elsewhere.unread;
  if (unread !== undefined) {
    app.report.warn(`--pools takes nothing: ${quoted(unread)} cannot be read, and may name a pool`);
    return {};
  }
  for (const name of elsewhere.pools) pools.add(name);
  app.report.warn(
    `storage pools in use: ${[...pools].map(oneLine).join(', ')}; the others themselves stay`,
  );
  return { pools };
}
