// Runs one command in a new container, or in the persistent one of an earlier run, and leaves nothing behind.
import { basename, dirname } from 'node:path';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { newSessionId } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { handoverText } from '../../session/plan/environment.ts';
import { withPrelude } from '../../session/plan/startup-script.ts';
import { guardsGit, toolSetupLines, toolVariables } from '../../session/plan/tool-setup.ts';
import { noTool } from '../../session/record/instance-record.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { registerAlias } from '../open-session/workspace-alias.ts';
import type { StartRequest } from '../requests.ts';
import { planExtras } from '../session-spec/forwards.ts';
import { sshAgentAndGit } from '../session-spec/git-identity.ts';
import { checkStaleBase } from '../session-spec/image-freshness.ts';
import { makeSessionSpec, restartSettings } from '../session-spec/make-session-spec.ts';
import { plainInputs } from '../session-spec/session-inputs.ts';
import { mountWorkspace } from '../session-spec/workspace-mount.ts';
import { sshAgentVariables, syncSshAgent } from '../terminal/ssh-agent-forwarding.ts';
import { checkWorkspace } from '../workspace.ts';
import { endOfRun } from './end-of-run.ts';
import { commandStarter, type RunningCommand } from './execute.ts';
import { launchPlain } from './plain-container.ts';
import { findPersistent, restartPlain } from './restart.ts';
import type { TimeLimit } from './time-limit.ts';

/** Script of the workspace that runs if no command is given. */
export const ownScriptName = 'coi-run';

export interface RunRequest extends StartRequest {
  /** Empty: the workspace's own script. */
  readonly command: readonly string[];
  readonly limit: TimeLimit | undefined;
}

export interface RunSteps {
  /** Called with the configuration, before anything is created. */
  readonly loaded: (resolved: ResolvedConfig) => void;
  /** Runs the command to its end. */
  readonly run: (
    container: string,
    command: RunningCommand & { readonly words: readonly string[] },
  ) => Promise<void>;
  /** Called when the container is gone or stopped, to check the changes in the workspace. */
  readonly ended: (workspace: string, since: Date) => Promise<void>;
}

/** Throws if `run` or the start fails, without leaving anything behind. */
export async function runCommand(
  app: AppContext,
  request: RunRequest,
  steps: RunSteps,
): Promise<void> {
  const workspace = checkWorkspace(app, request.workspace);
  const { command: given } = request;
  const words = given.length > 0 ? given : [ownScript(workspace.workspace)];
  const resolved = await loadRequestConfig(app, request, workspace.workspace);
  steps.loaded(resolved);
  const at = mountWorkspace(app, workspace, resolved.settings);
  const persistent = resolved.settings['container.persistent'] ?? false;
  const existing = persistent ? await findPersistent(app, at, request.slot) : undefined;
  const inputs = plainInputs(app, request, { at, resolved, earlier: existing?.session });
  const wanted = makeSessionSpec(app, resolved, at, {
    session: newSessionId(),
    tool: noTool,
    slot: request.slot,
    persistent,
    mounts: inputs.mounts,
    disposable: !persistent,
    restartSettings: await restartSettings(app, resolved, at.workspace),
  });
  await registerAlias(app, { at, resolved });
  const since = app.clock.now();
  await checkStaleBase(app, resolved);
  const extras = planExtras(app, resolved);
  const { forwarding, git } = await sshAgentAndGit(app, resolved, at.workspace);
  const tools = { guarded: guardsGit(wanted.protect), git: git.signing.config };
  app.mark('decided');
  const restarted = existing && (await restartPlain(app, existing, wanted));
  const ref = restarted?.ref ?? (await launchPlain(app, wanted, extras));
  try {
    const start = await commandStarter(app, ref.name, at.target);
    // The command may use the SSH agent at once.
    const problem =
      forwarding.kind === 'forward' && (await syncSshAgent(app, ref, forwarding, { tmux: false }));
    if (problem) app.report.warn(problem);
    const handed = handoverText(
      {
        ...inputs.variables,
        ...(restarted?.environment ?? extras.environment()),
        ...toolVariables(inputs.variables, tools),
        ...sshAgentVariables(forwarding),
      },
      withPrelude(words, { identity: git.identity, setup: toolSetupLines(tools), preLaunch: [] }),
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

/** The workspace's own script, which must not be a link out of it. Throws `usage`, `failed`. */
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
      hint: found?.kind === 'file' ? `chmod +x ${ownScriptName}` : 'It is not a file.',
      exit: 126,
    });
  return `./${ownScriptName}`;
}
