// Progress of setup: a line when a step starts, and one with its duration when it ends.
import type { SetupEvent } from '../../setup/setup.ts';
import type { Io } from './io.ts';
import { truncate } from './text-width.ts';

const frameMs = 1_000;

export interface SetupProgress {
  readonly update: (event: SetupEvent) => void;
  /** Stops the display of seconds. */
  readonly clear: () => void;
}

/** On a terminal the line of the running step counts the seconds. */
export function setupProgress(io: Io): SetupProgress {
  let timer: NodeJS.Timeout | undefined;
  const clear = () => {
    clearInterval(timer);
    timer = undefined;
    if (io.canOverwrite) io.overwrite('');
  };
  const begin = (text: string) => {
    if (!io.canOverwrite) return io.info(`... ${text}`);
    let seconds = 0;
    const show = () =>
      io.overwrite(
        `${io.stderrStyle.cyan('...')} ${truncate(text, io.columns.stderr - 12)} ${io.stderrStyle.dim(`${seconds++} s`)}`,
      );
    show();
    timer = setInterval(show, frameMs).unref();
  };
  const end = (mark: string, text: string, elapsedMs: number) => {
    clear();
    io.info(`${mark} ${text} ${io.stderrStyle.dim(`(${(elapsedMs / 1000).toFixed(1)} s)`)}`);
  };
  return {
    clear,
    update: (event) => {
      const { title } = event.check;
      switch (event.kind) {
        case 'started':
          return begin(`${title}: ${event.plan}`);
        case 'ended': {
          const { status, message } = event.finding;
          const mark =
            status === 'ok'
              ? io.stderrStyle.green('ok  ')
              : status === 'warning'
                ? io.stderrStyle.yellow('!   ')
                : io.stderrStyle.red('FAIL');
          return end(mark, `${title}: ${message}`, event.elapsedMs);
        }
        case 'failed':
          return end(io.stderrStyle.red('FAIL'), title, event.elapsedMs);
      }
    },
  };
}
