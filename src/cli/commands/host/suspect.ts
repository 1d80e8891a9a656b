// `coi __suspect PID TARGET`: coid runs it to read evidence of a process, and kills it if the kernel does not answer.
import type { Command } from 'commander';
import { readSuspect } from '../../../daemon/monitor/suspect.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';

export function register(command: Command, app: App): void {
  command
    .argument('<pid>')
    .argument('<target>')
    .action(async (pid: string, target: string) => {
      if (!/^\d{1,10}$/.test(pid)) throw new CoiError('usage', 'the process id must be a number');
      app.io.print(JSON.stringify(await readSuspect(Number(pid), target)));
    });
}
