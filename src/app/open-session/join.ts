// coi shell --container NAME: starts the agent in a running container. Writes nothing on the host.
import { keys } from '../../instance-keys.ts';
import { noSession } from '../../names.ts';
import { portVariables, recordedPorts } from '../../session/plan/ports.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import type { LiveSession } from './live-session.ts';
import { planSessionAgent, type ReadySession } from './session-agent.ts';

export interface JoinRequest {
  readonly container: Container;
  /** Resume its conversation if no terminal is left in it; otherwise start a new one. */
  readonly resumed: boolean;
}

export function joinContainer(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  joining: JoinRequest,
): LiveSession {
  const { container, resumed } = joining;
  const { name, session } = container;
  const ports = portVariables(recordedPorts(container.instance.config[keys.ports]));
  const inputs = sessionInputs(app, request, selected);
  const agent = planSessionAgent(app, request, selected, inputs, {
    session: session?.session ?? noSession,
    resumed: session !== undefined && resumed,
    isNew: false,
  });
  const keptIn = session?.tool === agent.tool.name ? session : undefined;
  if (!keptIn)
    app.report.warn(
      `${name} was not made for ${agent.tool.title}: the conversation is kept only in the container`,
    );
  return {
    container: name,
    reservation: session?.mounts.id,
    session: session?.session,
    slot: session?.slot,
    workspace: selected.at.workspace,
    target: selected.at.target,
    store: keptIn && { dir: agent.storeDir, session: keptIn.session, tool: keptIn.tool },
    command: agent.command,
    again: agent.again,
    needs: agent.needs,
    undoStart: undefined,
    conversation: agent.conversation,
    environment: { ...inputs.variables, ...ports, ...agent.environment },
  };
}
