// The key that a provider checked with, where it has it from the operator's register and not from the record itself.
import type { Evidence } from '../api';

/** As the provider's report words it. */
const FROM_REGISTER = 'register of the operator';

export function registeredKey(evidence: Evidence | null | undefined): string {
  const line = (label: string) => evidence?.detail.find(([name]) => name === label)?.[1] ?? '';
  return line('Key from') === FROM_REGISTER ? line('Public key') : '';
}
