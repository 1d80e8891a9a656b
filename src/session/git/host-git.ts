// Settings of the user's own git in a workspace: the command that reads them, and its parser. Pure.
import { parseGitConfig } from './config.ts';

/** The effective value of a git configuration key. */
export interface GitValue {
  readonly scope: string;
  readonly value: string;
}

/** Keys as git prints them: in lower case. */
export type GitValues = ReadonlyMap<string, GitValue>;

const keys = [
  'includeif\\..*\\.path',
  'user\\.(name|email|signingkey)',
  'gpg\\.format',
  'gpg\\.ssh\\.defaultkeycommand',
  '(commit|tag|push)\\.gpgsign',
  'tag\\.forcesignannotated',
];

/**
 * Runs outside of any repository, or in the workspace, where git also reads the repository's configuration. `git config`
 * runs no programs from it (docs/decisions/0073). `coi.asked` guarantees output: no output means that git failed.
 */
export function gitConfigCommand(directory: string): readonly string[] {
  return [
    'git',
    '-C',
    directory,
    '-c',
    'coi.asked=yes',
    'config',
    '-z',
    '--show-scope',
    '--get-regexp',
    `^(coi\\.asked|${keys.join('|')})$`,
  ];
}

/** Variables that would direct git to another repository; they are set in git hooks. */
const repositoryVariables = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
  'GIT_CONFIG',
];

/** If the workspace path contains a link, `includeIf gitdir` may use that path: git takes it from PWD. */
export function gitEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  workspace: string,
): Readonly<Record<string, string | undefined>> {
  const kept = Object.entries(env).filter(([name]) => !repositoryVariables.includes(name));
  return { ...Object.fromEntries(kept), PWD: workspace };
}

/** All values in git's order: later ones override. */
export function parseGitAnswers(answer: string): readonly (GitValue & { readonly key: string })[] {
  const fields = answer.split('\0');
  const values = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [scope = '', entry = ''] = fields.slice(at, at + 2);
    const end = entry.indexOf('\n');
    // A key without a value means true.
    values.push(
      end < 0
        ? { scope, key: entry, value: 'true' }
        : { scope, key: entry.slice(0, end), value: entry.slice(end + 1) },
    );
  }
  return values;
}

/** Whether the result may differ in the workspace: the user has `includeIf`, or signs, which a repository can change. */
export function dependsOnWorkspace(answers: ReturnType<typeof parseGitAnswers>): boolean {
  return answers.some(({ key }) =>
    /^(?:(?:includeif|gpg|commit|tag|push)\.|user\.signingkey$)/.test(key),
  );
}

/**
 * Whether the repository's configuration file may enable or change signing, directly or through an include.
 */
export function mayDecideSigning(config: string): boolean {
  const parsed = parseGitConfig(config);
  if (!('variables' in parsed)) return true;
  return parsed.variables.some(({ section, name }) =>
    /^(?:includeif|include|gpg)$|(?:gpgsign|signingkey|forcesignannotated|worktreeconfig)$/.test(
      ['include', 'includeif', 'gpg'].includes(section) ? section : name,
    ),
  );
}

/** The effective values for the user's git in that workspace. */
export function effectiveValues(answers: ReturnType<typeof parseGitAnswers>): GitValues {
  return new Map(answers.map(({ key, scope, value }) => [key, { scope, value }]));
}

/** The effective values without the repository's configuration, which git in the container reads itself. */
export function userValues(answers: ReturnType<typeof parseGitAnswers>): GitValues {
  return effectiveValues(answers.filter((answer) => !isFromRepository(answer)));
}

/** Only the values from the repository's configuration. */
export function repositoryValues(answers: ReturnType<typeof parseGitAnswers>): GitValues {
  return effectiveValues(answers.filter(isFromRepository));
}

function isFromRepository({ scope }: GitValue): boolean {
  return scope === 'local' || scope === 'worktree';
}
