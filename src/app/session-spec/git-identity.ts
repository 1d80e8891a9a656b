// The user's git identity and commit signing for a session, as git on the host would use them in that workspace.
import type { Settings } from '../../config/keys/table.ts';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { FileError } from '../../host/fs/file-error.ts';
import { readNamedFile } from '../../host/fs/read-named-file.ts';
import { captureOutput } from '../../host/process/capture-output.ts';
import { sshAgentKeys } from '../../host/terminal/ssh-agent-keys.ts';
import {
  dependsOnWorkspace,
  effectiveValues,
  gitConfigCommand,
  gitEnvironment,
  mayDecideSigning,
  parseGitAnswers,
  repositoryValues,
  userValues,
} from '../../session/git/host-git.ts';
import { planSigning, type Signing } from '../../session/git/signing.ts';
import type { Identity } from '../../session/plan/startup-script.ts';
import type { AppContext } from '../context.ts';
import {
  resolveSshAgent,
  type SshAgentRequest,
  sshAgentMissing,
} from '../terminal/ssh-agent-forwarding.ts';
import { repositoryConfig } from './workspace-mount.ts';

const gitMs = 2_000;
const keyFileMaxBytes = 64 * 1024;

export interface GitInside {
  readonly identity: Identity;
  readonly signing: Signing;
}

/** The user's SSH agent and git settings for a session in that workspace. Reports what is requested but unavailable. */
export async function sshAgentAndGit(
  app: AppContext,
  resolved: ResolvedConfig,
  workspace: string,
): Promise<{ readonly forwarding: SshAgentRequest; readonly git: GitInside }> {
  const forwarding = await resolveSshAgent(app, resolved, workspace);
  if (forwarding.kind === 'missing') app.report.setup(sshAgentMissing);
  return { forwarding, git: await gitInside(app, resolved.settings, workspace, forwarding) };
}

async function gitInside(
  app: AppContext,
  settings: Settings,
  workspace: string,
  agent: SshAgentRequest,
): Promise<GitInside> {
  const { 'git.name': name, 'git.email': email, 'git.seed_host_identity': seed } = settings;
  const answers = hostGit(app, workspace, seed);
  // Git in the container reads the repository's configuration in any case.
  const [all, own] = seed
    ? [effectiveValues(answers), userValues(answers)]
    : [repositoryValues(answers), userValues([])];
  const usesSsh = all.get('gpg.format')?.value === 'ssh';
  const signs = planSigning({
    git: all,
    agent:
      agent.kind === 'forward' ? (usesSsh ? await sshAgentKeys(agent.socket) : []) : agent.kind,
    keyFile: (path) => keyFile(app, path, workspace),
  });
  if (signs.problem) app.report.setup(signs.problem);
  const identity = {
    name: name ?? own.get('user.name')?.value,
    email: email ?? own.get('user.email')?.value,
  };
  return { identity, signing: signs };
}

/** Most users' git answers the same everywhere: then it is not run in a directory that agents write. */
function hostGit(
  app: AppContext,
  workspace: string,
  seed: boolean,
): ReturnType<typeof parseGitAnswers> {
  const options = { timeoutMs: gitMs, env: gitEnvironment(app.env, workspace) };
  const anywhere = seed ? parseGitAnswers(captureOutput(gitConfigCommand('/'), options) ?? '') : [];
  const depends = dependsOnWorkspace(anywhere);
  if (!depends && !mayDecideSigning(repositoryConfig(app, workspace) ?? '')) return anywhere;
  const inWorkspace = parseGitAnswers(captureOutput(gitConfigCommand(workspace), options) ?? '');
  return inWorkspace.length === 0 && !depends ? anywhere : inWorkspace;
}

/** The repository's configuration may name any file of the user's; callers pass on public keys only. */
function keyFile(app: AppContext, path: string, workspace: string): string | undefined {
  const full = path.startsWith('~/') ? app.user.home + path.slice(1) : path;
  if (!full.startsWith('/')) return undefined;
  try {
    return readNamedFile(full, { writable: () => [[workspace]] }, { maxBytes: keyFileMaxBytes })
      ?.text;
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}
