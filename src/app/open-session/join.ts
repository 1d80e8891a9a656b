// coi shell --container NAME: the tool in a container that runs already. Nothing on the host is written for it.
import { keys } from '../../instance-keys.ts';
import { noSession } from '../../names.ts';
import { portVariables, recordedPorts } from '../../session/plan/ports.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import type { LiveSession } from './live-session.ts';
import { agentOf, type ReadySession } from './session-agent.ts';

export interface Joining {
  readonly container: Container;
  /** Its conversation goes on if no terminal is left in it; otherwise a new one begins. */
  readonly resumed: boolean;
}

export function joined(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  joining: Joining,
): LiveSession {
  const { container, resumed } = joining;
  const { name, session } = container;
  const ports = portVariables(recordedPorts(container.instance.config[keys.ports]));
  const inputs = sessionInputs(app, request, selected);
  const agent = agentOf(app, request, selected, inputs, {
    session: session?.session ?? noSession,
    resumed: session !== undefined && resumed,
    isNew: false,
  });
  const keptIn = session?.tool === agent.tool.name ? session : undefined;
  if (!keptIn)
    app.report.warn(
      `${name} was not made for ${agent.tool.title}: what is said there is kept in the container only`,
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
    takeBack: undefined,
    conversation: agent.conversation,
    environment: { ...inputs.variables, ...ports, ...agent.environment },
  };
}
