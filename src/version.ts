// The version of this program; scripts/build.ts takes it from package.json.
import manifest from '../package.json' with { type: 'json' };

export const version: string = manifest.version;
export const projectUrl = 'https://github.com/mensfeld/code-on-incus';
