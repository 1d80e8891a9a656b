// Classifies programs by their executable and their process name.
import type { Process } from './sample.ts';

type Program = Pick<Process, 'exe' | 'comm'>;

const shells = /^(?:(?:ba|da|z|fi|a|k|mk|r?c|tc|y|x)?sh|rbash|busybox|toybox|pwsh)$/;
const interpreters =
  /^(?:python[\d.]*|pypy[\d.]*|perl[\d.]*|ruby[\d.]*|irb|php[\d.]*|node|nodejs|bun|deno|lua(?:jit)?[\d.]*|tclsh[\d.]*|expect|[gmn]?awk|guile|java)$/;
const relays =
  /^(?:nc|ncat|netcat|nc\.traditional|nc\.openbsd|socat\d*|telnet|openssl|cryptcat|pwncat|rlwrap)$/;

/** The last component of a path, without the suffix for a deleted file. */
export function baseName(path: string): string {
  return path.replace(/ \(deleted\)$/, '').replace(/^.*\//, '');
}

export function isShell(program: Program): boolean {
  return shells.test(baseName(program.exe)) || shells.test(program.comm);
}

export function isInterpreter(program: Program): boolean {
  return interpreters.test(baseName(program.exe)) || interpreters.test(program.comm);
}

/** Programs that pass bytes between a connection and their own streams or children. */
export function isRelay(program: Program): boolean {
  return relays.test(baseName(program.exe)) || relays.test(program.comm);
}

/** An interpreter that runs a program given on its command line. */
export function runsInline(task: Pick<Process, 'exe' | 'comm' | 'argv'>): boolean {
  return (
    isInterpreter(task) &&
    task.argv.slice(1, 4).some((word) => /^-(?:[a-zA-Z]*[ceErR]|-eval|-print)$/.test(word))
  );
}

/** A shell that waits for commands rather than running a given script or command. */
export function isInteractiveShell(task: Process): boolean {
  if (!isShell(task)) return false;
  const words = task.argv.slice(1);
  if (words.includes('-c')) return false;
  return (
    words.every((word) => word.startsWith('-')) && !words.some((word) => /^-[a-z]*c$/.test(word))
  );
}

/** Selects the programs that the process table reads in detail. */
export const processInterest = {
  closely: (program: Program): boolean =>
    isShell(program) || isInterpreter(program) || isRelay(program),
  descriptors: (program: Pick<Process, 'exe' | 'comm' | 'argv'>): boolean =>
    isRelay(program) || runsInline(program),
};

/** For evidence and messages: at most 300 characters of the command line. */
export function commandLine(task: Pick<Process, 'argv' | 'comm'>): string {
  const text = task.argv.join(' ').trim();
  const shown = text === '' ? `[${task.comm}]` : text;
  return shown.length > 300 ? `${shown.slice(0, 297)}...` : shown;
}
