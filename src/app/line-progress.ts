// Steps where nothing can be taken away again: one plain line for each that takes longer than half a second.
import type { Progress, Report } from './context.ts';

/** What a step that failed is followed by; the end of it clears the line. */
const undoing = 'Undoing what was begun';
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
    tell: (event) => {
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
