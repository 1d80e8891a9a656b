// What git inside gets of the user's own: name, address and signing, as they would be in that workspace on the host.
import type { Settings } from '../../config/keys/table.ts';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { FileError } from '../../host/fs/file-error.ts';
import { readNamed } from '../../host/fs/read-within.ts';
import { answerOf } from '../../host/process/ask-program.ts';
import { agentKeys } from '../../host/terminal/ssh-agent-keys.ts';
import {
  dependsOnPlace,
  effective,
  gitAnswers,
  gitEnvironment,
  gitQuestion,
  mayDecideSigning,
  repositorysOwn,
  usersOwn,
} from '../../session/git/host-git.ts';
import { type Signing, signing } from '../../session/git/signing.ts';
import type { Identity } from '../../session/plan/startup-script.ts';
import type { AppContext } from '../context.ts';
import { type AgentWish, agentMissing, agentWish } from '../terminal/ssh-agent-forwarding.ts';
import { repositoryConfig } from './workspace-mount.ts';

const gitMs = 2_000;
const keyFileMaxBytes = 64 * 1024;

export interface GitInside {
  readonly identity: Identity;
  readonly signing: Signing;
}

/** The user's SSH agent and git for a session in that workspace. What is wanted and cannot be had is said. */
export async function agentAndGit(
  app: AppContext,
  resolved: ResolvedConfig,
  workspace: string,
): Promise<{ readonly forwarding: AgentWish; readonly git: GitInside }> {
  const forwarding = await agentWish(app, resolved, workspace);
  if (forwarding.kind === 'missing') app.report.setup(agentMissing);
  return { forwarding, git: await gitInside(app, resolved.settings, workspace, forwarding) };
}

async function gitInside(
  app: AppContext,
  settings: Settings,
  workspace: string,
  agent: AgentWish,
): Promise<GitInside> {
  const { 'git.name': name, 'git.email': email, 'git.seed_host_identity': seed } = settings;
  const answers = hostGit(app, workspace, seed);
  // Git inside reads the repository's own configuration whatever the user wants of theirs.
  const [all, own] = seed
    ? [effective(answers), usersOwn(answers)]
    : [repositorysOwn(answers), usersOwn([])];
  const usesSsh = all.get('gpg.format')?.value === 'ssh';
  const signs = signing({
    git: all,
    agent: agent.kind === 'forward' ? (usesSsh ? await agentKeys(agent.socket) : []) : agent.kind,
    keyFile: (path) => keyFile(app, path, workspace),
  });
  if (signs.problem) app.report.setup(signs.problem);
  const identity = {
    name: name ?? own.get('user.name')?.value,
    email: email ?? own.get('user.email')?.value,
  };
  return { identity, signing: signs };
}

/** Most users' git says the same everywhere: then it is not asked in a directory that agents write. */
function hostGit(app: AppContext, workspace: string, seed: boolean): ReturnType<typeof gitAnswers> {
  const options = { timeoutMs: gitMs, env: gitEnvironment(app.env, workspace) };
  const anywhere = seed ? gitAnswers(answerOf(gitQuestion('/'), options) ?? '') : [];
  const depends = dependsOnPlace(anywhere);
  if (!depends && !mayDecideSigning(repositoryConfig(app, workspace) ?? '')) return anywhere;
  const there = gitAnswers(answerOf(gitQuestion(workspace), options) ?? '');
  return there.length === 0 && !depends ? anywhere : there;
}

/** The repository's own configuration may name any file of the user's; who asks passes on public keys only. */
function keyFile(app: AppContext, path: string, workspace: string): string | undefined {
  const full = path.startsWith('~/') ? app.user.home + path.slice(1) : path;
  if (!full.startsWith('/')) return undefined;
  try {
    return readNamed(full, { writable: () => [[workspace]] }, { maxBytes: keyFileMaxBytes })?.text;
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}
