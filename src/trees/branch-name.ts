// Names of branches for own trees, and the directories that they get. Pure.
import { createHash } from 'node:crypto';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';

const maxBytes = 200;
const slugMax = 40;
const hashDigits = 6;

/** Throws `usage`. The rules of git-check-ref-format(1), and no names that git commands would read as something else. */
export function checkedBranch(name: string): string {
  const problem = branchProblem(name);
  if (problem === undefined) return name;
  throw new CoiError('usage', `${quoted(name)} cannot be the name of a branch: ${problem}`, {
    hint: 'Use letters, digits, dots, dashes and slashes, such as fix/login.',
  });
}

function branchProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (Buffer.byteLength(name) > maxBytes) return `it is longer than ${maxBytes} bytes`;
  if (/[\u0000-\u0020\u007f-\u009f~^:?*[\\]/.test(name) || !name.isWellFormed())
    return 'it contains a character that git does not allow';
  if (name.startsWith('-')) return 'it begins with a dash';
  if (name === '@' || name === 'HEAD' || /^[0-9a-f]{40,64}$/.test(name))
    return 'git uses it for something else';
  if (name.includes('..') || name.includes('@{')) return 'git gives .. and @{ another meaning';
  if (name.endsWith('.')) return 'it ends with a dot';
  const parts = name.split('/');
  if (parts.includes('')) return 'a part of it is empty';
  if (parts.some((part) => part.startsWith('.') || part.endsWith('.lock')))
    return 'a part of it begins with a dot or ends with .lock';
  return undefined;
}

/** A name for the tree's directory: the branch itself if that is a plain word, else one that no other branch gets. */
export function treeNameOf(branch: string): string {
  const slug = branch
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, slugMax);
  if (slug === branch) return branch;
  const hash = createHash('sha256').update(branch).digest('hex').slice(0, hashDigits);
  return `${slug || 'tree'}-${hash}`;
}
