// Steps as a person sees them: nothing for what is quick, one live line for what takes longer than half a second.
import type { Progress } from '../../app/context.ts';
import { lineProgress, slowMs } from '../../app/line-progress.ts';
import { cut } from './fit.ts';
import type { Io } from './io.ts';

const frameMs = 100;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** On a terminal a spinner with the seconds; elsewhere one plain line for each step that is slow. */
export function stepProgress(io: Io): Progress {
  let timer: NodeJS.Timeout | undefined;
  let live = false;
  const show = (title: string, frame: number) => {
    if (!io.live) return io.tell(`${title}...`);
    live = true;
    const seconds = ((slowMs + frame * frameMs) / 1000).toFixed(1);
    // A line that wraps cannot be taken away again; the mark, blanks and dots take the rest.
    const shown = cut(title, io.columns.story - seconds.length - 9);
    io.overwrite(
      `${io.storyStyle.cyan(frames[frame % frames.length] ?? '')} ${shown}... ${seconds} s`,
    );
    timer = setTimeout(() => show(title, frame + 1), frameMs).unref();
  };
  const slow = lineProgress({ info: io.tell, warn: io.warn }, (title) => show(title, 0));
  const clear = () => {
    slow.clear();
    clearTimeout(timer);
    if (live) io.overwrite('');
    live = false;
  };
  return {
    clear,
    tell: (event) => {
      clear();
      slow.tell(event);
    },
  };
}
