// The network policy of a session's configuration, with what only this host can say filled in.
import type { App } from '../app.ts';
import type { Settings } from '../config/keys.ts';
import { npmRegistryEntry } from '../config/keys-reach.ts';
import type { PolicyRecord } from '../daemon/protocol.ts';
import { npmRegistryHost } from '../host/npm-registry.ts';
import { policyRecord } from '../network/policy.ts';

/** Throws `config-invalid`. Warns when the list names the npm registry and the host has no npm to say which that is. */
export function sessionPolicy(app: App, settings: Settings): PolicyRecord {
  const listed = settings['network.allowed_domains'];
  if (settings['network.mode'] !== 'allowlist' || !listed.includes(npmRegistryEntry))
    return policyRecord({
      ...settings,
      'network.allowed_domains': listed.filter((entry) => entry !== npmRegistryEntry),
    });
  const host = npmRegistryHost({ env: app.env, home: app.user.home });
  if (host === undefined)
    app.io.warn(
      'allowed_domains: the npm registry stays closed, since npm is not on this host to say where it is',
    );
  return policyRecord({
    ...settings,
    'network.allowed_domains': listed.flatMap((entry) =>
      entry === npmRegistryEntry ? (host ?? []) : entry,
    ),
  });
}
