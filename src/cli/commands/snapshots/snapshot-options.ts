// The flags of `coi snapshot …`, and the container they select.
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { sessionTarget } from '../../requests.ts';

export interface SnapshotOptions extends GlobalOptions {
  container?: string;
  all?: boolean;
  force?: boolean;
  stateful?: boolean;
  format?: 'text' | 'json';
  json?: boolean;
}

/** For snapshots the predecessor also accepted `yes`. */
export const yesPattern = /^(?:y|yes)$/i;

export function selectContainer(app: App, options: SnapshotOptions): Promise<Container> {
  return oneContainer(app, sessionTarget(options), options.container);
}
