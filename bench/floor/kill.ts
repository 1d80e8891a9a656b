// Floor of `coi kill`: each named instance is force-stopped and deletes itself; waits until all are stopped.
import { call, callAndWait } from './raw.ts';

await Promise.all(
  process.argv.slice(2).map(async (name) => {
    await call('PATCH', `/1.0/instances/${name}`, { ephemeral: true });
    await callAndWait('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true });
  }),
);
