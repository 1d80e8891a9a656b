// The flags of `coi network …`, and the request they describe.
import type { NetworkRequest } from '../../../app/network/sessions.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { configurationRequest, sessionTarget } from '../../requests.ts';

export interface NetworkOptions extends GlobalOptions {
  container?: string;
  json?: boolean;
  follow?: boolean;
  for?: string;
}

export function networkRequest(app: App, options: NetworkOptions): NetworkRequest {
  const { container } = options;
  return { ...sessionTarget(options), ...configurationRequest(app, options), container };
}
