// Reads /proc/<pid>/status (proc(5)). The kernel takes no lock for it that the process could hold.
import { readText } from '../linux/proc-file.ts';
import { blockedRead, type FileReader } from './bounded-read.ts';

export interface ProcessStatus {
  /** As escaped by the kernel: a newline is `\\n`. */
  readonly comm: string;
  readonly state: string;
  /** Whether it is the first process of a direct child of the host's pid namespace. */
  readonly isInit: boolean;
  /** It was killed but has not ended yet, or has no memory: it no longer runs code. */
  readonly isKilled: boolean;
}

const SIGKILL = 9;
/** In the field `flags` of `stat`: it is exiting (include/linux/sched.h). */
const PF_EXITING = 4;

export function parseProcessStatus(text: string): ProcessStatus {
  const field = (name: string) => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(text)?.[1] ?? '';
  const hasKill = (pending: string) =>
    ((BigInt(`0x${field(pending) || '0'}`) >> BigInt(SIGKILL - 1)) & 1n) === 1n;
  return {
    comm: field('Name'),
    state: field('State').slice(0, 1),
    isInit: /^\d+\t1$/.test(field('NSpid')),
    isKilled: field('VmSize') === '' || hasKill('SigPnd') || hasKill('ShdPnd'),
  };
}

/** Undefined if the process no longer exists. */
export function statusOf(pid: number): ProcessStatus | undefined {
  const text = readText(`/proc/${pid}/status`, { encoding: 'latin1' });
  return text === undefined ? undefined : parseProcessStatus(text);
}

/** Whether it is exiting; for an init process this means that all processes of its container were killed. */
export function isEnding(pid: number, reader: FileReader): boolean {
  if (statusOf(pid)?.isKilled !== false) return true;
  const text = reader.read(`/proc/${pid}/stat`, 'latin1');
  // It is blocked in an exec and has not been killed.
  if (text === blockedRead) return false;
  const flags = text?.slice(text.lastIndexOf(')') + 2).split(' ')[6];
  return flags === undefined || (Number(flags) & PF_EXITING) !== 0;
}
