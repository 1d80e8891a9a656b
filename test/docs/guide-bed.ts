// A user with the home and workspaces that the guide assumes.
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Bed, makeBed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import { homeFile } from '../lifecycle/conversation.ts';

export const timeout = 120_000;

/** A bed with the configuration of a user of the guide. */
export async function makeGuideBed(): Promise<GuideBed> {
  const bed = await makeBed();
  // The pages use the default image, which takes minutes to build.
  homeFile(bed, '.coi/config.toml', `[container]\nimage = "${bed.image}"\n`);
  return new GuideBed(bed);
}

export class GuideBed {
  readonly bed: Bed;

  constructor(bed: Bed) {
    this.bed = bed;
  }

  async own(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true });
    await chown(directory, this.bed.user.uid, this.bed.user.gid);
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(file, text);
    await chown(file, this.bed.user.uid, this.bed.user.gid);
  }

  /** A user's directory below a separate one, so that a page may write next to it. */
  async workspaceOf(name: string): Promise<string> {
    const directory = join(this.bed.user.home, name.replace('/', '-'), 'shop');
    await this.own(dirname(directory));
    await this.own(directory);
    return directory;
  }

  inShell(script: string, cwd: string) {
    const { env, user } = this.bed;
    const path = `${dirname(coiPath())}:${user.env['PATH']}`;
    return user.run(['bash', '--norc', '-euo', 'pipefail', '-c', script], {
      cwd,
      env: { ...env, PATH: path, COI_CONFIG: '' },
      limitMs: timeout,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bed[Symbol.asyncDispose]();
  }
}
