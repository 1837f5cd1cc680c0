// The words of certificates at stations.
import type { Time } from '../../api';
import type { TrustedFor } from '../../api.daily';

export const USES: Record<TrustedFor, string> = {
  operator_root: 'Root of this operator', manufacturer_root: 'Root of the maker (firmware)', v2g_root: 'Root for Plug & Charge stations (V2G)',
  mo_root: 'Root for contracts (MO)', oem_root: 'Root of car makers (OEM)', v2g_chain: 'Chain of the station (V2G)',
};
const DAY_MS = 86_400_000;

/** Whole days until then; negative once it is over. */
export function daysLeft(until: Time | null, now: number): number | null {
  const end = until ? Date.parse(until) : NaN;
  return Number.isNaN(end) ? null : Math.floor((end - now) / DAY_MS);
}
