// Short notes at the edge of the screen, with an undo where there is one. They are announced politely; an error stays
// until it is dismissed.
import { asApiError } from './loader.svelte';

const STAY_MS = 6_000;

export interface Toast { id: number; text: string; tone: 'good' | 'bad' | 'plain'; undo?: () => void }

let next = 1;
export const toasts = $state<Toast[]>([]);

export function toast(text: string, tone: Toast['tone'] = 'plain', undo?: () => void): void {
  const id = next++;
  toasts.push({ id, text, tone, ...(undo ? { undo } : {}) });
  if (tone !== 'bad') setTimeout(() => dismiss(id), STAY_MS);
}

export function dismiss(id: number): void {
  const index = toasts.findIndex((one) => one.id === id);
  if (index >= 0) toasts.splice(index, 1);
}

/** Does something that may fail and says so if it does. Returns whether it worked. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done) toast(done, 'good');
    return true;
  } catch (cause) {
    toast(asApiError(cause).message, 'bad');
    return false;
  }
}
