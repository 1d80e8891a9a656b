// Watches a terminal (terminal-notices.ts) without delaying its first screen.
import type { TerminalTap } from '../../host/terminal/terminal-tap.ts';
import type { AppContext } from '../context.ts';
import type { ViewedSession } from './terminal-notices.ts';

/** Until it is disposed. */
export function watchTerminalLater(
  app: AppContext,
  viewed: ViewedSession,
  tap: TerminalTap,
): Disposable {
  const undo = new DisposableStack();
  void import('./terminal-notices.ts').then(({ watchTerminal }) => {
    if (!undo.disposed) undo.use(watchTerminal(app, viewed, tap));
  });
  return undo;
}
