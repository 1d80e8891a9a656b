// Facts about the Incus server that a plan needs.
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { imageMissing } from '../../session/lifecycle/launch.ts';
import type { ServerFacts } from '../../session/plan/plan.ts';
import type { AppContext } from '../context.ts';

/** Queries the server in one round. Fails early if Incus is unreachable or the image is missing. */
export async function serverFacts(
  app: AppContext,
  image: string | undefined,
  storagePool: string | undefined,
): Promise<ServerFacts> {
  const incus = await app.incus();
  const { signal } = app;
  try {
    const [profile, alias] = await Promise.all([
      incus.profile('default', { signal }),
      image === undefined ? undefined : incus.imageAlias(image, { signal }),
    ]);
    if (image !== undefined && !alias) throw imageMissing(image);
    const hasRoot = Object.values(profile?.devices ?? {}).some(
      (device) => device['type'] === 'disk' && device['path'] === '/',
    );
    const pools =
      hasRoot && storagePool === undefined ? undefined : await incus.storagePools({ signal });
    return { defaultProfile: profile, pools };
  } catch (error) {
    throw incusFailure(error, 'querying Incus failed');
  }
}
