// One command in a fresh machine, or in the kept one of an earlier run, and nothing left behind.
import { basename, dirname } from 'node:path';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { newSessionId } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { handOver } from '../../session/plan/environment.ts';
import { withPrelude } from '../../session/plan/startup-script.ts';
import { guardsGit, toolLines, toolVariables } from '../../session/plan/tool-setup.ts';
import { noTool } from '../../session/record/instance-record.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { registerAlias } from '../open-session/workspace-alias.ts';
import type { StartRequest } from '../requests.ts';
import { extrasOf } from '../session-spec/forwards.ts';
import { agentAndGit } from '../session-spec/git-identity.ts';
import { checkBase } from '../session-spec/image-freshness.ts';
import { plainInputs } from '../session-spec/session-inputs.ts';
import { following, wish } from '../session-spec/session-wish.ts';
import { placeIn } from '../session-spec/workspace-mount.ts';
import { agentVariables, followAgent } from '../terminal/ssh-agent-forwarding.ts';
import { place } from '../workspace.ts';
import { endOfRun } from './end-of-run.ts';
import { type RunningCommand, starting, type TimeLimit } from './outcome.ts';
import { launchPlain } from './plain-container.ts';
import { keptPlain, restartPlain } from './restart.ts';

/** What is run when no command is given. */
export const ownScriptName = 'coi-run';

export interface RunRequest extends StartRequest {
  /** Empty: the workspace's own script. */
  readonly command: readonly string[];
  readonly limit: TimeLimit | undefined;
}

export interface RunSteps {
  /** The configuration, before anything is made. */
  readonly loaded: (resolved: ResolvedConfig) => void;
  /** Runs the command to its end. */
  readonly run: (
    container: string,
    command: RunningCommand & { readonly words: readonly string[] },
  ) => Promise<void>;
  /** The machine is gone, or stopped. What its command changed is in the workspace. */
  readonly ended: (workspace: string, since: Date) => Promise<void>;
}

/** Throws what `run` throws, and what a failed start means; nothing is left then. */
export async function runCommand(
  app: AppContext,
  request: RunRequest,
  steps: RunSteps,
): Promise<void> {
  const workspace = place(app, request.workspace);
  const { command: given } = request;
  const words = given.length > 0 ? given : [ownScript(workspace.workspace)];
  const resolved = await config(app, request, workspace.workspace);
  steps.loaded(resolved);
  const at = placeIn(app, workspace, resolved.settings);
  const persistent = resolved.settings['container.persistent'] ?? false;
  const kept = persistent ? await keptPlain(app, at, request.slot) : undefined;
  const inputs = plainInputs(app, request, { at, resolved, earlier: kept?.session });
  const wanted = wish(app, resolved, at, {
    session: newSessionId(),
    tool: noTool,
    slot: request.slot,
    persistent,
    mounts: inputs.mounts,
    disposable: !persistent,
    following: await following(app, resolved, at.workspace),
  });
  await registerAlias(app, { at, resolved });
  const since = app.clock.now();
  await checkBase(app, resolved);
  const extras = extrasOf(app, resolved);
  const { forwarding, git } = await agentAndGit(app, resolved, at.workspace);
  const tools = { guarded: guardsGit(wanted.protect), git: git.signing.config };
  app.mark('decided');
  const again = kept && (await restartPlain(app, kept, wanted));
  const ref = again?.ref ?? (await launchPlain(app, wanted, extras));
  try {
    const start = await starting(app, ref.name, at.target);
    // The command may use it at once, and nobody is there to wait for it.
    const problem =
      forwarding.kind === 'forward' && (await followAgent(app, ref, forwarding, { tmux: false }));
    if (problem) app.report.warn(problem);
    const handed = handOver(
      {
        ...inputs.variables,
        ...(again?.environment ?? extras.environment()),
        ...toolVariables(inputs.variables, tools),
        ...agentVariables(forwarding),
      },
      withPrelude(words, { identity: git.identity, setup: toolLines(tools), preLaunch: [] }),
    );
    await steps.run(ref.name, { start, handed, limit: request.limit, words });
  } catch (error) {
    throw incusFailure(error, `running the command in ${ref.name} failed`);
  } finally {
    await endOfRun(app, ref, persistent ? 'persistent' : 'disposable');
    app.mark('ended');
    await steps.ended(at.workspace, since);
  }
}

/** The workspace's own script, which may not lead out of it. Throws `usage`. */
function ownScript(workspace: string): string {
  const path = `${workspace}/${ownScriptName}`;
  if (!hostFiles.exists(path))
    throw new CoiError(
      'usage',
      `no command given, and there is no ./${ownScriptName} in the workspace`,
      {
        hint: 'For example: coi run -- make test',
      },
    );
  const [real, top] = [hostFiles.realPath(path), hostFiles.realPath(workspace)];
  if (real === undefined || !real.startsWith(`${top}/`))
    throw new CoiError('failed', `./${ownScriptName} leads out of the workspace`);
  using directory = hostFiles.open(dirname(real));
  const found = directory?.entry(basename(real));
  if (found?.kind !== 'file' || (found.stat.mode & 0o111) === 0)
    throw new CoiError('failed', `./${ownScriptName} cannot be executed`, {
      hint: found?.kind === 'file' ? `chmod +x ${ownScriptName}` : 'It is no file.',
      exit: 126,
    });
  return `./${ownScriptName}`;
}
