// A session whose container runs.
import type { ContainerName, SessionId } from '../../names.ts';
import type { AgentSetting } from './agent-process.ts';

/** A container that runs, and what is to be opened in it. */
export interface LiveSession {
  readonly container: ContainerName;
  /** Id of the reservation: tells this container from a later one of that name. Undefined if coi did not make it. */
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
  readonly again: AgentSetting['again'];
  /** The agent's program. */
  readonly needs: string | undefined;
  /** Undoes the start, for an agent that turned out not to be there, or an interrupt; undefined for what ran before. */
  readonly takeBack: (() => Promise<void>) | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly conversation: AgentSetting['conversation'];
}
