// The client for coid, with the service started first where that is this user's to do.
import type { App } from '../app.ts';
import type { Coid } from '../daemon/client.ts';
import { CoiError } from '../errors.ts';

/** coid's client whose `reserve` starts the service once when it does not answer and root asks. */
export async function reserveOrStart(app: App): Promise<Coid> {
  const coid = await app.coid();
  if (app.user.uid !== 0 || app.embedded) return coid;
  return {
    ...coid,
    reserve: async (request, options) => {
      try {
        return await coid.reserve(request, options);
      } catch (error) {
        if (!(error instanceof CoiError) || error.code !== 'coid-unreachable') throw error;
        const { startDetached } = await import('../daemon/start.ts');
        await startDetached(app.env);
        return await coid.reserve(request, options);
      }
    },
  };
}
