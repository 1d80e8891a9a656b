// Floor of `coi run -- true`: create and start, one command, and a stop without waiting for it.
import { createAndStart, floorTask } from './instance.ts';
import { call, execSilently } from './raw.ts';

const task = floorTask();
await createAndStart(task);
await execSilently(task.name, ['true']);
await call('PATCH', `/1.0/instances/${task.name}`, { ephemeral: true });
await call('PUT', `/1.0/instances/${task.name}/state`, { action: 'stop', force: true });
