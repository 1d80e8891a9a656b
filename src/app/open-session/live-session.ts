// A session whose container is running.
import type { ContainerName, SessionId } from '../../names.ts';
import type { AgentProcess } from './agent-process.ts';

/** A running container, and the agent to start in it. */
export interface LiveSession {
  readonly container: ContainerName;
  /** Id of the reservation: identifies this container among others of that name. Undefined if coi did not make it. */
  readonly reservation: string | undefined;
  /** Its id; undefined in a container that coi did not make. */
  readonly session: SessionId | undefined;
  readonly slot: number | undefined;
  /** On the host. */
  readonly workspace: string;
  readonly target: string;
  /** Undefined in a container that coi did not make. */
  readonly store:
    | { readonly dir: string; readonly session: SessionId; readonly tool: string }
    | undefined;
  readonly command: readonly string[];
  readonly again: AgentProcess['again'];
  /** The agent's program. */
  readonly needs: string | undefined;
  /** Undoes the start if the agent is missing or the user interrupts; undefined if the container already ran. */
  readonly undoStart: (() => Promise<void>) | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly conversation: AgentProcess['conversation'];
}
