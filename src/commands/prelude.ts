// Who the user is for git inside, and what is run before the agent: from configuration and the host's own git.
import type { Settings } from '../config/keys.ts';
import { answerOf } from '../host/ask-program.ts';
import type { Identity, Prelude } from '../session/prelude.ts';

const gitMs = 2_000;

export function preludeOf(settings: Settings, withPreLaunch: boolean): Prelude {
  return {
    identity: identityOf(settings),
    preLaunch: withPreLaunch ? settings['tool.pre_launch'] : [],
  };
}

function identityOf(settings: Settings): Identity | undefined {
  const { 'git.name': name, 'git.email': email, 'git.seed_host_identity': seed } = settings;
  if ((name && email) || !seed) return { name, email };
  const said = answerOf(['git', 'config', '--global', '--get-regexp', '^user\\.(name|email)$'], {
    timeoutMs: gitMs,
  });
  const found = new Map(
    (said ?? '').split('\n').map((line) => {
      const at = line.indexOf(' ');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  return { name: name ?? found.get('user.name'), email: email ?? found.get('user.email') };
}
