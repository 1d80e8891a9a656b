// A client for coid that starts the service if this user may.
import type { Coid } from '../coid-api/client.ts';
import { CoiError } from '../errors.ts';
import type { AppContext } from './context.ts';

/** A client whose `reserve` starts coid if it does not answer and the caller is root. */
export async function autostartingCoid(app: AppContext): Promise<Coid> {
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
