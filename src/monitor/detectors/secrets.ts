// Detects searches for credentials: command lines that read environments of other processes or files with secrets.
// Only a hint (agents often grep for "token"), so never more than a warning.
import { commandLine } from '../programs.ts';
import type { Process } from '../sample.ts';
import type { Detector } from './detector.ts';

const environments = /\/proc\/(?:\d+|\*|self|\$\w+|\[[^\]]*\]\*?)\/environ\b/;
const places =
  /(?:^|[\s"'=:/])(?:~|\/root|\/home\/[^/\s]+|\$HOME)\/(?:\.ssh\/id_\w+|\.aws\/credentials|\.netrc|\.git-credentials|\.docker\/config\.json|\.kube\/config|\.gnupg\/|\.config\/(?:gcloud|gh\/hosts\.yml)|\.pypirc|\.npmrc)|\/etc\/shadow\b/;
const searchers = /^(?:\w*grep|rg|ag|ack|find|fd|strings)$/;
const secretWords =
  /(?:api[_-]?key|passw(?:or)?d|secret|credential|private[_-]?key|BEGIN[ \w]*PRIVATE KEY|AKIA)/i;
/** Search roots far beyond the workspace. */
const wide = /^(?:\/|\/home|\/root|\/etc|\/proc|\/var|~|\/home\/[^/]+\/?)$/;

export const secretSearch: Detector = ({ change }) =>
  change.started.flatMap((task) => {
    const about = suspicion(task);
    if (about === undefined) return [];
    return [
      {
        level: 'warning' as const,
        category: 'environment' as const,
        title: 'Search for credentials',
        description: `${task.comm} (pid ${task.pid}) ${about}.`,
        evidence: {
          process: { pid: task.pid, program: task.exe, command: commandLine(task) },
        },
        key: about,
      },
    ];
  });

/** What is suspicious about a command line; undefined for nearly all. */
export function suspicion({ argv }: Pick<Process, 'argv'>): string | undefined {
  const text = argv.join(' ');
  if (environments.test(text)) return 'reads the environment of processes';
  if (places.test(text)) return 'names a file that holds credentials';
  const program = (argv[0] ?? '').replace(/^.*\//, '');
  if (
    searchers.test(program) &&
    secretWords.test(text) &&
    argv.slice(1).some((word) => wide.test(word))
  ) {
    return 'searches the whole system for secrets';
  }
  return undefined;
}
