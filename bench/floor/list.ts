// Floor of `coi list`: one request, one line per instance.
import { call } from './raw.ts';

const instances = (await call('GET', '/1.0/instances?recursion=1')) as {
  name: string;
  status: string;
}[];
for (const { name, status } of instances) process.stdout.write(`${name}  ${status}\n`);
