// What keys of git's configuration say nothing that git runs or obeys, as data, and what the others hold. Pure. A key that
// is not known here counts as one that may name anything.
import { type GitVariable, keyOf } from './config.ts';

/** Sections and keys in lower case; `*` stands for the name of a branch, remote or submodule. */
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
 * Keys whose values name nothing that git runs or takes orders from, though some of them change what it does: names of
 * branches and remotes, addresses, patterns, choices, and files of which only the text is shown.
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

/** What git runs the values of, so that a file which does not exist yet counts as well. */
const commands = new Set(
  words(`
    command cmd driver textconv clean smudge process helper program external difffilter editor pager sshcommand askpass
    fsmonitor path uploadpack receivepack update gitproxy alternaterefscommand defaultkeycommand tunnel httpd browser
    packobjectshook recentobjectshook tocmd cccmd headercmd smtpserver extdiff viewer
  `),
);
const commandSections = new Set(words('alias pager hook'));

/** One path, which may name a directory or what does not exist yet. */
const paths = new Set(words('core.hookspath core.attributesfile init.templatedir'));

/** Of a section, or of one for a branch, remote or submodule: keys that make git run and obey nothing, but for `ext::` in an address. */
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

/** Further configuration, whatever the condition is: the user may fulfil it at any time. */
export function isInclude({ section, subsection, name }: GitVariable): boolean {
  if (name !== 'path') return false;
  return subsection === undefined ? section === 'include' : section === 'includeif';
}

/**
 * Run by `git receive-pack` when something is pushed into a repository: it works in the directory of git itself, from where
 * it looks for relative paths.
 */
export function isOfReceiving(variable: GitVariable): boolean {
  return ofReceiving.has(keyOf(variable));
}

const ofReceiving = new Set([
  'core.hookspath',
  'core.alternaterefscommand',
  'gc.recentobjectshook',
]);

/** A key of that name may be one of a later git that runs something, whatever its section is. */
const tellingName =
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
  return known.has('*') && !known.has(`!${name}`) && !tellingName.test(name);
}

function keysOf(keys: Readonly<Record<string, string>>): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(Object.entries(keys).map(([section, names]) => [section, new Set(words(names))]));
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Of a path in a directory of git: what git writes itself and never runs, however often it is named. */
export function isGitState(path: string): boolean {
  return gitState.test(path);
}

const gitState =
  /^(?:[A-Z_]*HEAD|[A-Z]+_MSG|COMMIT_EDITMSG|index|packed-refs|shallow|description|(?:refs|objects|logs|lfs|worktrees|modules|rebase-merge|rebase-apply|sequencer)\/.*|info\/(?:exclude|refs|sparse-checkout))$/;
