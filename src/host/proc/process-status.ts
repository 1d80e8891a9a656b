// What /proc/<pid>/status says of a process (proc(5)). The kernel takes no lock for it that the process could keep.
import { readText } from '../linux/proc-file.ts';
import { type FileReader, waits } from './patient-read.ts';

export interface ProcessStatus {
  /** As it is written there: a line end is `\\n`. */
  readonly comm: string;
  readonly state: string;
  /** It is the first process of a pid namespace that was made by the host's. */
  readonly isInit: boolean;
  /** It was killed and has not noticed yet, or has no memory any more: it does nothing of its own. */
  readonly isKilled: boolean;
}

const SIGKILL = 9;
/** Of the field `flags` of `stat`: it ends, and waits for what it still holds (include/linux/sched.h). */
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

/** Undefined if it is gone. */
export function statusOf(pid: number): ProcessStatus | undefined {
  const text = readText(`/proc/${pid}/status`, { encoding: 'latin1' });
  return text === undefined ? undefined : parseProcessStatus(text);
}

/** Whether it ends: of an init process, that all of its container were killed. */
export function isEnding(pid: number, reader: FileReader): boolean {
  if (statusOf(pid)?.isKilled !== false) return true;
  const text = reader.read(`/proc/${pid}/stat`, 'latin1');
  // It is held up in an exec, and nobody has killed it.
  if (text === waits) return false;
  const flags = text?.slice(text.lastIndexOf(')') + 2).split(' ')[6];
  return flags === undefined || (Number(flags) & PF_EXITING) !== 0;
}
