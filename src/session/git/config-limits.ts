// Limits for reading git's configuration of one repository: coid serves all users with one thread, and an agent may have
// written the files. Larger ones are refused.

const filesMax = 1000;
const lookupsMax = 10_000;
/** Characters in all files. A file has at most 1 MiB, which takes about 0.2 s. */
const textMax = 4 * 1024 * 1024;
/** Characters of one value. */
const valueMax = 65_536;

export class ConfigLimits {
  lookups = 0;
  #files = 0;
  #text = 0;

  /** Counts one more file. */
  isFileTooMuch(): boolean {
    this.#files += 1;
    return this.#files > filesMax || this.#text > textMax;
  }

  isTextTooMuch(text: string): boolean {
    this.#text += text.length;
    return this.#text > textMax;
  }

  isValueTooLong(value: string | undefined): boolean {
    return (value?.length ?? 0) > valueMax;
  }

  get areLookupsUsedUp(): boolean {
    return this.lookups >= lookupsMax;
  }
}
