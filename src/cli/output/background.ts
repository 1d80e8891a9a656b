// How a person reaches a session that was started without a terminal.
import type { App } from '../app.ts';

/** Elsewhere the story of the start says it at length. */
export function tellBackground({ io }: App, container: string): void {
  if (io.brief)
    io.tell(
      `Started in the background. Attach: coi attach ${container}; its screen: coi tmux capture ${container}`,
    );
}
