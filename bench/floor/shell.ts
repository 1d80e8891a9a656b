// Floor of `coi shell`: create and start, then the tool in tmux on this terminal.
import { createAndStart, floorTask, tmux } from './instance.ts';
import { execTerminal, pipeTerminal } from './raw.ts';

const task = floorTask();
await createAndStart(task);
await pipeTerminal(await execTerminal(task.name, tmux(task, false)));
