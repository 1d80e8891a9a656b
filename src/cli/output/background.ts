// The line about a session in the background.
import type { App } from '../app.ts';

/** Without a terminal the start reports it in detail. */
export function reportBackground({ io }: App, container: string): void {
  if (io.briefStderr)
    io.info(
      `Started in the background. Attach: coi attach ${container}; screen: coi tmux capture ${container}`,
    );
}
