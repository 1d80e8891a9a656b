// While a terminal is attached to a session: remembers whether the user looks at it, and shows notices about the others.
import { setTimeout as delay } from 'node:timers/promises';
import { terminalNotice } from '../../attention/notices/terminal-notice.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { TerminalTap } from '../../host/terminal/terminal-tap.ts';
import type { SessionId } from '../../names.ts';
import type { AppContext } from '../context.ts';
import { followEvents } from '../events/follow-events.ts';
import { noteSeen, removeView, viewedContainers, writeView } from '../events/viewers.ts';
import { Teller } from '../notices/teller.ts';

export interface ViewedSession {
  readonly container: string;
  /** Undefined for a container without one. */
  readonly session: SessionId | undefined;
}

/** How often keys are noted. */
const noteMs = 10_000;
const againMs = 30_000;

/** Until it is disposed. Its errors must not end the terminal. */
export function watchTerminal(
  app: AppContext,
  { container, session }: ViewedSession,
  tap: TerminalTap,
): Disposable {
  const undo = new DisposableStack();
  const ended = new AbortController();
  let hasFocus: boolean | undefined;
  let notedMs = Number.NEGATIVE_INFINITY;
  const note = () => {
    notedMs = app.clock.elapsedMs();
    writeView(app, { container, hasFocus, activeMs: app.clock.now().getTime() });
    if (session !== undefined && hasFocus !== false) noteSeen(app, session);
  };
  undo.defer(() => {
    tap.onInput = undefined;
    if (session !== undefined && hasFocus !== false) noteSeen(app, session);
    removeView(app);
    ended.abort();
  });
  tap.onInput = (focus) => {
    if (focus !== undefined) hasFocus = focus === 'in';
    // A key comes only to a terminal with the focus: it has not reported that.
    else if (hasFocus === false) hasFocus = undefined;
    if (focus !== undefined || app.clock.elapsedMs() - notedMs > noteMs) note();
  };
  note();
  const signal = AbortSignal.any([app.signal, ended.signal]);
  showNotices(app, container, tap, signal).catch(() => undefined);
  return undo;
}

async function showNotices(
  app: AppContext,
  container: string,
  tap: TerminalTap,
  signal: AbortSignal,
): Promise<void> {
  const { env } = app;
  const facts = {
    term: env['TERM'] ?? '',
    program: env['TERM_PROGRAM'] ?? '',
    isInTmux: env['TMUX'] !== undefined,
  };
  using teller = new Teller({
    app,
    ignores: (event) => event.container === container,
    isSeen: (other) => viewedContainers(app).has(other),
    tell: ({ terminal }, text) => {
      const sequence = terminalNotice(text, terminal, facts);
      if (sequence !== '') tap.interject(sequence);
    },
    onError: () => undefined,
  });
  for (;;) {
    try {
      for await (const { event } of followEvents(app, undefined, signal))
        if (event.type !== 'snapshot') teller.add([event]);
    } catch (error) {
      signal.throwIfAborted();
      // The disk may be full or the home away for a while.
      if (!hostFiles.asFileError(error) && !(error instanceof CoiError)) throw error;
      await delay(againMs, undefined, { signal });
    }
  }
}
