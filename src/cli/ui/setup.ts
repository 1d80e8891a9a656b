// Progress of setup: a line when a step begins, one with its time when it ends.
import type { SetupEvent } from '../../setup/setup.ts';
import { cut } from './fit.ts';
import type { Io } from './io.ts';

const frameMs = 1_000;

export interface SetupProgress {
  readonly tell: (event: SetupEvent) => void;
  /** Stops counting seconds. */
  readonly clear: () => void;
}

/** On a terminal the running step counts its seconds; elsewhere there is nothing but the two lines. */
export function setupProgress(io: Io): SetupProgress {
  let timer: NodeJS.Timeout | undefined;
  const clear = () => {
    clearInterval(timer);
    timer = undefined;
    if (io.live) io.overwrite('');
  };
  const begin = (text: string) => {
    if (!io.live) return io.tell(`... ${text}`);
    let seconds = 0;
    const show = () =>
      io.overwrite(
        `${io.storyStyle.cyan('...')} ${cut(text, io.columns.story - 12)} ${io.storyStyle.dim(`${seconds++} s`)}`,
      );
    show();
    timer = setInterval(show, frameMs).unref();
  };
  const end = (mark: string, text: string, elapsedMs: number) => {
    clear();
    io.tell(`${mark} ${text} ${io.storyStyle.dim(`(${(elapsedMs / 1000).toFixed(1)} s)`)}`);
  };
  return {
    clear,
    tell: (event) => {
      const { title } = event.check;
      switch (event.kind) {
        case 'started':
          return begin(`${title}: ${event.plan}`);
        case 'ended': {
          const { status, message } = event.finding;
          const mark =
            status === 'ok'
              ? io.storyStyle.green('ok ')
              : status === 'warning'
                ? io.storyStyle.yellow('!  ')
                : io.storyStyle.red('NO ');
          return end(mark, `${title}: ${message}`, event.elapsedMs);
        }
        case 'failed':
          return end(io.storyStyle.red('NO '), title, event.elapsedMs);
      }
    },
  };
}
