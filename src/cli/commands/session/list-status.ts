// The status filter of `coi list`.
import { CoiError } from '../../../errors.ts';
import type { InstanceStatus } from '../../../incus/shapes.ts';
import { quoted } from '../../../names.ts';

export interface StatusOptions {
  running?: boolean;
  stopped?: boolean;
  status?: string;
}

export function parseStatus({
  running,
  stopped,
  status,
}: StatusOptions): InstanceStatus | undefined {
  if ([running, stopped, status !== undefined].filter(Boolean).length > 1) {
    throw new CoiError('usage', '--running, --stopped and --status cannot be combined', {
      hint: 'Use one of them.',
    });
  }
  if (running) return 'Running';
  if (stopped) return 'Stopped';
  if (status === undefined) return undefined;
  const found = instanceStatuses.find((state) => state.toLowerCase() === status.toLowerCase());
  if (found) return found;
  throw new CoiError('usage', `invalid --status ${quoted(status)}`, {
    hint: `Use one of: ${instanceStatuses.join(', ').toLowerCase()}.`,
  });
}

export const instanceStatuses = [
  'Running',
  'Stopped',
  'Frozen',
  'Error',
  'Starting',
  'Stopping',
  'Freezing',
  'Thawed',
  'Aborting',
  'Ready',
] as const satisfies readonly InstanceStatus[];
