// Step progress for output that cannot be erased: a plain line for each step that takes longer than half a second.
import type { Progress, Report } from './context.ts';

/** Follows a failed step. */
const undoing = 'Undoing the steps so far';
export const slowMs = 500;

export function lineProgress(
  { info, warn }: Pick<Report, 'info' | 'warn'>,
  show: (title: string) => void = (title) => info(`${title}...`),
): Progress {
  let timer: NodeJS.Timeout | undefined;
  const clear = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    clear,
    update: (event) => {
      clear();
      const title =
        event.kind === 'started' ? event.title : event.kind === 'failed' ? undoing : undefined;
      if (title !== undefined) timer = setTimeout(() => show(title), slowMs).unref();
      if (event.kind === 'undo-failed')
        warn(
          `could not undo "${event.name}": ${event.error instanceof Error ? event.error.message : String(event.error)}`,
        );
    },
  };
}
