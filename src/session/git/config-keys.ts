// Classifies keys of git's configuration: keys that name nothing that git runs or obeys, commands, and paths. Pure. An
// unknown key may name anything.
import { type GitVariable, keyOf } from './config.ts';

/** Sections and keys in lower case; ` *` after a section is the name of a branch, remote or submodule. */
const harmless = keysOf({
  core: `repositoryformatversion filemode bare logallrefupdates ignorecase precomposeunicode symlinks autocrlf eol
    safecrlf abbrev quotepath checkstat trustctime sparsecheckout sparsecheckoutcone untrackedcache preloadindex`,
  user: 'name email',
  extensions:
    'worktreeconfig objectformat partialclone refstorage preciousobjects relativeworktrees',
  'branch *': 'remote merge rebase pushremote description',
  'remote *': 'url pushurl fetch push tagopt prune promisor partialclonefilter',
  'submodule *': 'url active',
  submodule: 'active',
  index: 'sparse version',
  init: 'defaultbranch',
  pull: 'rebase ff',
  push: 'default autosetupremote',
  fetch: 'prune',
  gc: 'auto',
  lfs: 'repositoryformatversion',
  'lfs *': 'access',
});

/**
 * Keys whose values name nothing that git runs or obeys, though some change its behavior: names of branches and remotes,
 * URLs, patterns, choices, and files that git only displays.
 */
const naming = keysOf({
  core: `worktree excludesfile compression loosecompression bigfilethreshold commentchar commentstring notesref
    whitespace sharedrepository splitindex multipackindex commitgraph fscache longpaths hidedotfiles
    protectntfs protecthfs createobject packedgitlimit packedgitwindowsize deltabasecachelimit`,
  user: 'useconfigonly',
  author: 'name email',
  committer: 'name email',
  advice: '*',
  apply: '*',
  blame: '*',
  branch: '*',
  'branch *': '* !mergeoptions',
  checkout: '*',
  clean: 'requireforce',
  clone: '*',
  color: '*',
  'color *': '*',
  column: '*',
  commit: 'template cleanup gpgsign status verbose',
  commitgraph: '*',
  diff: `algorithm autorefreshindex colormoved colormovedws context indentheuristic mnemonicprefix noprefix orderfile
    relative renamelimit renames statgraphwidth submodule suppressblankempty wserrorhighlight ignoresubmodules`,
  'diff *': 'xfuncname wordregex binary cachetextconv',
  feature: '*',
  fetch: '* !bundleuri',
  format:
    'pretty signoff subjectprefix suffix thread useautobase coverletter numbered outputdirectory',
  fsck: '*',
  gc: '*',
  'git-town': '*',
  'git-town-branch *': '*',
  'gitflow *': '* !hooks',
  gpg: 'format mintrustlevel',
  grep: '*',
  gui: '*',
  help: 'autocorrect format',
  i18n: '*',
  index: '*',
  lfs: 'url pushurl storage fetchinclude fetchexclude locksverify concurrenttransfers batch',
  'lfs *': 'locksverify',
  log: '*',
  mailmap: '*',
  maintenance: '*',
  merge:
    'conflictstyle ff log renames renamelimit directoryrenames stat verbosity autostash renormalize',
  'merge *': 'name',
  notes: '*',
  pack: '*',
  pretty: '*',
  protocol: '*',
  'protocol *': '*',
  pull: '*',
  push: '*',
  rebase: '*',
  receive: `denycurrentbranch denydeletes denynonfastforwards fsckobjects autogc advertisepushoptions hiderefs
    unpacklimit maxinputsize`,
  remote: 'pushdefault',
  'remote *':
    'gh-resolved annex-uuid mirror skipdefaultupdate skipfetchall prunetags followremotehead',
  repack: '*',
  rerere: '*',
  safe: '*',
  scalar: '*',
  stash: '*',
  status: '*',
  'submodule *': 'branch ignore shallow fetchrecursesubmodules path',
  submodule: '*',
  'svn-remote *': 'url fetch branches tags rewriteroot rewriteuuid',
  tag: '*',
  transfer: '*',
  'url *': 'insteadof pushinsteadof',
  versionsort: '*',
  worktree: '*',
});

/** Keys whose value git runs, so that a file which does not exist yet counts as well. */
const commands = new Set(
  words(`
    command cmd driver textconv clean smudge process helper program external difffilter editor pager sshcommand askpass
    fsmonitor path uploadpack receivepack update gitproxy alternaterefscommand defaultkeycommand tunnel httpd browser
    packobjectshook recentobjectshook tocmd cccmd headercmd smtpserver extdiff viewer
  `),
);
const commandSections = new Set(words('alias pager hook'));

/** Keys with one path, which may be a directory or not exist yet. */
const paths = new Set(words('core.hookspath core.attributesfile init.templatedir'));

/** Harmless keys of a section, or of one with a name. They make git run and obey nothing, except for `ext::` URLs. */
export function harmlessKeys(section: string, hasName: boolean): ReadonlySet<string> | undefined {
  return harmless.get(hasName ? `${section} *` : section);
}

export function namesNothing({ section, subsection, name }: GitVariable): boolean {
  const hasName = subsection !== undefined;
  return isIn(harmless, section, hasName, name) || isIn(naming, section, hasName, name);
}

export function isCommand({ section, name }: GitVariable): boolean {
  return commands.has(name) || commandSections.has(section);
}

export function isPath(variable: GitVariable): boolean {
  return paths.has(keyOf(variable));
}

/** Includes count regardless of their condition, which may become true at any time. */
export function isInclude({ section, subsection, name }: GitVariable): boolean {
  if (name !== 'path') return false;
  return subsection === undefined ? section === 'include' : section === 'includeif';
}

/**
 * Run by `git receive-pack` on a push into a repository. It works in the git directory itself, and relative paths start
 * there.
 */
export function isOfReceiving(variable: GitVariable): boolean {
  return ofReceiving.has(keyOf(variable));
}

const ofReceiving = new Set([
  'core.hookspath',
  'core.alternaterefscommand',
  'gc.recentobjectshook',
]);

/** An unknown key with such a name may run something in a later git, in any section. */
const runnableName =
  /(?:hook|command|cmd|program|path|driver|helper|editor|pager|exec|external|filter|tool)s?$/;

function isIn(
  keys: ReadonlyMap<string, ReadonlySet<string>>,
  section: string,
  hasName: boolean,
  name: string,
): boolean {
  const known = keys.get(hasName ? `${section} *` : section);
  if (!known) return false;
  if (known.has(name)) return true;
  return known.has('*') && !known.has(`!${name}`) && !runnableName.test(name);
}

function keysOf(keys: Readonly<Record<string, string>>): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(Object.entries(keys).map(([section, names]) => [section, new Set(words(names))]));
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Whether git writes that path in a git directory itself and never runs it. */
export function isGitState(path: string): boolean {
  return gitState.test(path);
}

const gitState =
  /^(?:[A-Z_]*HEAD|[A-Z]+_MSG|COMMIT_EDITMSG|index|packed-refs|shallow|description|(?:refs|objects|logs|lfs|worktrees|modules|rebase-merge|rebase-apply|sequencer)\/.*|info\/(?:exclude|refs|sparse-checkout))$/;
