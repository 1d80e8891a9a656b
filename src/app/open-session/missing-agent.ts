// An agent that is missing in the image: undoes the start, and explains how to install the agent.
import type { Settings } from '../../config/keys/table.ts';
import { CoiError } from '../../errors.ts';
import { agentPackages } from '../../image/recipe.ts';
import { defaultImage } from '../../image/versions.ts';
import { ToolMissing } from '../../session/lifecycle/secret-handover.ts';
import type { AppContext } from '../context.ts';
import type { LiveSession } from './live-session.ts';
import type { SelectedSession } from './select-session.ts';

/** Waits for the agent in a container that was just started. Undoes the start and throws `tool-missing` if it is missing. */
export async function undoIfMissing<T>(
  app: AppContext,
  { resolved }: SelectedSession,
  live: LiveSession,
  opening: Promise<T>,
): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof ToolMissing)) throw error;
    try {
      await live.undoStart?.();
    } catch (problem) {
      app.report.warn(problem instanceof Error ? problem.message : String(problem));
    }
    throw missingAgentError(error, resolved.settings);
  }
}

function missingAgentError(error: ToolMissing, settings: Settings): CoiError {
  const { 'container.image': image, 'container.build.agents': agents } = settings;
  const { program } = error;
  const ready = image === defaultImage && agentPackages[program] !== undefined;
  const list = [...new Set([...agents, program])].map((agent) => `"${agent}"`).join(', ');
  return new CoiError('tool-missing', `image '${image}' has no program '${program}'`, {
    hint: ready
      ? `Write agents = [${list}] under [container.build] in ~/.coi/config.toml, then run \`coi build --force\`.`
      : 'Install it in the build of the image ([container.build] commands or script), or at each start with [tool] pre_launch.',
    cause: error,
  });
}
