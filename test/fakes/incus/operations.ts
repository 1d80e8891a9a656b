// Background operations of the fake: they run at once and keep their result, as the daemon does for some seconds.
import { randomUUID } from 'node:crypto';
import type { OperationData } from '../../../src/incus/shapes.ts';

export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface FakeOperation {
  readonly data: OperationData;
  readonly done: Promise<void>;
}

export class Operations {
  readonly #all = new Map<string, FakeOperation>();

  /** Runs `work` as an operation; it may fail with a Refusal after setting metadata. */
  start(
    description: string,
    work: (data: OperationData) => Promise<Record<string, unknown> | undefined>,
    operationClass: OperationData['class'] = 'task',
    metadata: Record<string, unknown> | null = null,
  ): OperationData {
    const at = '2026-01-01T00:00:00Z';
    const data: OperationData = {
      id: randomUUID(),
      class: operationClass,
      description,
      created_at: at,
      updated_at: at,
      status: 'Running',
      status_code: 103,
      resources: null,
      metadata,
      may_cancel: false,
      err: '',
    };
    // The reply to the request shows it as running, as the real one usually does.
    const shown = structuredClone(data);
    const done = this.#run(data, work);
    this.#all.set(data.id, { data, done });
    return shown;
  }

  /** In the daemon's list format. */
  byState(): Record<string, OperationData[]> {
    const all = [...this.#all.values()].map(({ data }) => data);
    return Object.groupBy(all, ({ status }) => status.toLowerCase()) as Record<
      string,
      OperationData[]
    >;
  }

  find(id: string): FakeOperation {
    const operation = this.#all.get(id);
    if (!operation) throw new Refusal(404, 'Operation not found');
    return operation;
  }

  async #run(
    data: OperationData,
    work: (data: OperationData) => Promise<Record<string, unknown> | undefined>,
  ): Promise<void> {
    await Promise.resolve();
    try {
      const metadata = await work(data);
      if (metadata) data.metadata = metadata;
      Object.assign(data, { status: 'Success', status_code: 200 });
    } catch (error) {
      const err = error instanceof Error ? error.message : String(error);
      Object.assign(data, { status: 'Failure', status_code: 400, err });
    }
  }

  /** `GET …/wait`: a failed operation and a timeout are both error replies. */
  async wait(id: string, timeoutSeconds: number): Promise<OperationData> {
    const { data, done } = this.find(id);
    if (timeoutSeconds >= 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // The client may be gone: its answer must not keep the process alive.
      const timer = setTimeout(resolve, timeoutSeconds * 1000).unref();
      await Promise.race([done, promise]);
      clearTimeout(timer);
    } else {
      await done;
    }
    if (data.status_code === 103) throw new Refusal(500, 'context deadline exceeded');
    if (data.status_code >= 400) throw new Refusal(data.status_code, data.err);
    return data;
  }
}
