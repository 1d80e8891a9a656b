// Floor of `coi shell`: create and start, then the tool in tmux on this terminal.
import { createAndStart, floorTask, tmux } from './instance.ts';
import { execTerminal, joined } from './raw.ts';

const task = floorTask();
await createAndStart(task);
await joined(await execTerminal(task.name, tmux(task, false)));
