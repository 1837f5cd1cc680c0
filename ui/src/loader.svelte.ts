// What a page is waiting for, has, or could not get. One small class instead of three variables on every page; it keeps
// the old value while a fresh one is on its way, so that live pages do not flicker.
import { ApiError } from './client';

export class Loader<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<ApiError | undefined>(undefined);
  busy = $state(false);
  #ask: () => Promise<T>;
  #turn = 0;

  constructor(ask: () => Promise<T>) { this.#ask = ask; }

  /** Loads (again). Only the newest answer counts. */
  async load(): Promise<void> {
    const turn = ++this.#turn;
    this.busy = true;
    try {
      const value = await this.#ask();
      if (turn !== this.#turn) return;
      this.value = value;
      this.error = undefined;
    } catch (cause) {
      if (turn !== this.#turn) return;
      this.error = asApiError(cause);
    } finally {
      if (turn === this.#turn) this.busy = false;
    }
  }

  forget(): void { this.value = undefined; this.error = undefined; }
}

export function asApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  console.error(cause);
  return new ApiError(0, 'page', 'Something in this page went wrong.');
}
