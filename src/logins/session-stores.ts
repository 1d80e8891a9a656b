// Session stores of a tool, opened by the login sync.
import type { Directory, HostFiles } from '../host/fs/host-files.ts';
import type { LoginFile } from './formats/login.ts';

interface StoreLocation {
  readonly home: string;
  readonly file: LoginFile;
}

/** Opens each store once. */
export class SessionStores implements Disposable {
  readonly #request: StoreLocation;
  readonly #files: HostFiles;
  readonly #opened = new Map<string, Directory | undefined>();

  constructor(request: StoreLocation, files: HostFiles) {
    this.#request = request;
    this.#files = files;
  }

  of(session: string): Directory | undefined {
    if (!this.#opened.has(session)) this.#opened.set(session, this.#open(session));
    return this.#opened.get(session);
  }

  [Symbol.dispose](): void {
    for (const directory of this.#opened.values()) directory?.[Symbol.dispose]();
  }

  #open(session: string): Directory | undefined {
    const { home, file } = this.#request;
    try {
      using top = this.#files.open(`${home}/.coi/sessions-${file.tool}`);
      return top?.openDirectory(session);
    } catch (error) {
      if (!this.#files.asFileError(error)) throw error;
      return undefined;
    }
  }
}
