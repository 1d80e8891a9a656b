// Floor of `coi shell --background`: create and start, then the tool in a detached tmux.
import { createAndStart, floorTask, tmux } from './instance.ts';
import { execSilently } from './raw.ts';

const task = floorTask();
await createAndStart(task);
await execSilently(task.name, tmux(task, true));
