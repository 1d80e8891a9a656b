// The client for coid, with the service started first where that is this user's to do.
import type { Coid } from '../coid-api/client.ts';
import { CoiError } from '../errors.ts';
import type { AppContext } from './context.ts';

/** coid's client whose `reserve` starts the service once when it does not answer and root asks. */
export async function reserveOrStart(app: AppContext): Promise<Coid> {
  const coid = await app.coid();
  if (app.user.uid !== 0 || app.embedded) return coid;
  return {
    ...coid,
    reserve: async (request, options) => {
      try {
        return await coid.reserve(request, options);
      } catch (error) {
        if (!(error instanceof CoiError) || error.code !== 'coid-unreachable') throw error;
        const { startDetached } = await import('../daemon/control.ts');
        await startDetached(app.env);
        return await coid.reserve(request, options);
      }
    },
  };
}
