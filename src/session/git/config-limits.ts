// What of git's configuration is looked at for one repository: coid serves everybody with one thread, and an agent may have
// written some of it. More is refused.

const filesMax = 1000;
const lookupsMax = 10_000;
/** Of all files. The largest that is read has a megabyte, which takes some 0.2 s. */
const textMax = 4 * 1024 * 1024;
/** Of one value. */
const valueMax = 65_536;

export class ConfigLimits {
  lookups = 0;
  #files = 0;
  #text = 0;

  /** Whether one more file is too much. */
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
