// Steps as a person sees them: nothing for what is quick, one live line for what takes longer than half a second.
import type { Progress } from '../../app/context.ts';
import { cut } from './fit.ts';
import type { Io } from './io.ts';

/** What a step that failed is followed by; the end of it clears the line. */
const undoing = 'Undoing what was begun';
const slowMs = 500;
const frameMs = 100;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** On a terminal a spinner with the seconds; elsewhere one plain line for each step that is slow. */
export function stepProgress(io: Io): Progress {
  let timer: NodeJS.Timeout | undefined;
  let live = false;
  const clear = () => {
    clearTimeout(timer);
    timer = undefined;
    if (live) io.overwrite('');
    live = false;
  };
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
  return {
    clear,
    tell: (event) => {
      clear();
      const title =
        event.kind === 'started' ? event.title : event.kind === 'failed' ? undoing : undefined;
      if (title !== undefined) timer = setTimeout(() => show(title, 0), slowMs).unref();
      if (event.kind === 'undo-failed')
        io.warn(
          `could not undo "${event.name}": ${event.error instanceof Error ? event.error.message : String(event.error)}`,
        );
    },
  };
}
