// A small process that gives the terminal back if this program is killed and cannot do it.
import { startProgram } from '../process/program.ts';

/**
 * It waits for the end of its input, ignores signals, and writes to the terminal (3). A shell with job control resets the
 * modes of the terminal itself and reads keys then; the modes are reset only if there is none, so that this process is still
 * in the foreground. Fields of /proc/PID/stat: proc_pid_stat(5).
 */
const script = `trap '' HUP INT TERM TTOU
saved=$(stty -g <&3) || exit 1
echo ready
read -r line && exit 0
printf '%s' "$1" >&3
sleep 0.2
read -r pid name state parent group session terminal front rest < "/proc/$$/stat"
if [ "$group" = "$front" ]; then stty "$saved" <&3; fi
`;

export interface TerminalRestorer {
  /** Ends it; nothing is written. */
  release(): void;
}

/** `leave`: what is written then. Call it before the modes are changed. Without sh or stty nothing is restored. */
export async function startRestorer(leave: string): Promise<TerminalRestorer> {
  const child = startProgram(['sh', '-c', script, 'coi-restorer', leave], {
    stdio: ['pipe', 'pipe', 'ignore', 1],
  });
  child.unref();
  child.stdin?.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    child.stdout?.once('data', () => resolve());
    child.once('error', () => resolve()).once('close', () => resolve());
  });
  child.stdout?.destroy();
  return { release: () => void child.stdin?.end('done\n') };
}
