// The network policy of a session, from its configuration and facts of this host.
import type { PolicyRecord } from '../../coid-api/network-protocol.ts';
import { npmRegistryEntry } from '../../config/keys/access.ts';
import type { Settings } from '../../config/keys/table.ts';
import { npmRegistryHost } from '../../host/net/npm-registry.ts';
import { policyRecord } from '../../network/policy.ts';
import type { AppContext } from '../context.ts';

/** Throws `config-invalid`. Warns if the allowlist has the npm registry, but no npm on this host names its address. */
export function sessionPolicy(app: AppContext, settings: Settings): PolicyRecord {
  const listed = settings['network.allowed_domains'];
  if (settings['network.mode'] !== 'allowlist' || !listed.includes(npmRegistryEntry))
    return policyRecord({
      ...settings,
      'network.allowed_domains': listed.filter((entry) => entry !== npmRegistryEntry),
    });
  const host = npmRegistryHost({ env: app.env, home: app.user.home });
  if (host === undefined)
    app.report.warn(
      'allowed_domains: the npm registry stays blocked, because there is no npm on this host that names its address',
    );
  return policyRecord({
    ...settings,
    'network.allowed_domains': listed.flatMap((entry) =>
      entry === npmRegistryEntry ? (host ?? []) : entry,
    ),
  });
}
