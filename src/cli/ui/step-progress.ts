// Progress of steps: nothing for fast ones, one line for those that take longer than half a second.
import type { Progress } from '../../app/context.ts';
import { lineProgress, slowMs } from '../../app/line-progress.ts';
import type { Io } from './io.ts';
import { truncate } from './text-width.ts';

const frameMs = 100;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** On a terminal a spinner with the seconds; elsewhere one plain line for each slow step. */
export function stepProgress(io: Io): Progress {
  let timer: NodeJS.Timeout | undefined;
  let live = false;
  const show = (title: string, frame: number) => {
    if (!io.canOverwrite) return io.info(`${title}...`);
    live = true;
    const seconds = ((slowMs + frame * frameMs) / 1000).toFixed(1);
    // A line that wraps cannot be removed; the spinner, spaces and dots take the rest.
    const shown = truncate(title, io.columns.stderr - seconds.length - 9);
    io.overwrite(
      `${io.stderrStyle.cyan(frames[frame % frames.length] ?? '')} ${shown}... ${seconds} s`,
    );
    timer = setTimeout(() => show(title, frame + 1), frameMs).unref();
  };
  const slow = lineProgress({ info: io.info, warn: io.warn }, (title) => show(title, 0));
  const clear = () => {
    slow.clear();
    clearTimeout(timer);
    if (live) io.overwrite('');
    live = false;
  };
  return {
    clear,
    update: (event) => {
      clear();
      slow.update(event);
    },
  };
}
