// The network policy of a session's configuration, with what only this host can say filled in.
import type { PolicyRecord } from '../../coid-api/network-protocol.ts';
import { npmRegistryEntry } from '../../config/keys/reach.ts';
import type { Settings } from '../../config/keys/table.ts';
import { npmRegistryHost } from '../../host/net/npm-registry.ts';
import { policyRecord } from '../../network/policy.ts';
import type { AppContext } from '../context.ts';

/** Throws `config-invalid`. Warns when the list names the npm registry and the host has no npm to say which that is. */
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
      'allowed_domains: the npm registry stays closed, since npm is not on this host to say where it is',
    );
  return policyRecord({
    ...settings,
    'network.allowed_domains': listed.flatMap((entry) =>
      entry === npmRegistryEntry ? (host ?? []) : entry,
    ),
  });
}
