// Calls coid from a separate process, so that a test can call it as another user. usage: SOCKET JSON [at-once]
// The JSON is a list of [method, argument]; prints a list of {"ok": answer} or {"code", "message"}.
import { randomUUID } from 'node:crypto';
import { openCoid } from '../../src/coid-api/client.ts';
import type { ReserveRequest } from '../../src/coid-api/session-protocol.ts';
import { CoiError } from '../../src/errors.ts';

const [socketPath = '', list = '[]', how] = process.argv.slice(2);
const coid = openCoid({ socketPath });

function call(method: string, value: unknown): Promise<unknown> {
  switch (method) {
    case 'reserve':
      return coid.reserve(value as ReserveRequest);
    case 'release':
      return coid.release(String(value));
    case 'remount':
      return remount(value as { container: string; id: string });
    default:
      return coid.status();
  }
}

function remount({ container, id }: { container: string; id: string }): Promise<unknown> {
  return coid.remount(container, { id, startId: randomUUID() });
}

async function answer(method: string, value: unknown): Promise<unknown> {
  try {
    return { ok: (await call(method, value)) ?? null };
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return { code: error.code, message: error.message };
  }
}

const calls = JSON.parse(list) as [string, unknown][];
const answers: unknown[] = [];
if (how === 'at-once') answers.push(...(await Promise.all(calls.map((one) => answer(...one)))));
else for (const one of calls) answers.push(await answer(...one));
process.stdout.write(JSON.stringify(answers));
