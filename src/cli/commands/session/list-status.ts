// Which containers `coi list` shows.
import { CoiError } from '../../../errors.ts';
import type { InstanceStatus } from '../../../incus/shapes.ts';
import { quoted } from '../../../names.ts';

export interface StatusOptions {
  running?: boolean;
  stopped?: boolean;
  status?: string;
}

export function wantedStatus({
  running,
  stopped,
  status,
}: StatusOptions): InstanceStatus | undefined {
  if ([running, stopped, status !== undefined].filter(Boolean).length > 1) {
    throw new CoiError('usage', '--running, --stopped and --status exclude each other', {
      hint: 'Use one of them.',
    });
  }
  if (running) return 'Running';
  if (stopped) return 'Stopped';
  if (status === undefined) return undefined;
  const found = states.find((state) => state.toLowerCase() === status.toLowerCase());
  if (found) return found;
  throw new CoiError('usage', `invalid --status ${quoted(status)}`, {
    hint: `One of: ${states.join(', ').toLowerCase()}.`,
  });
}

export const states = [
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
