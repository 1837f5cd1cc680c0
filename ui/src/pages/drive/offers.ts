// The order in which prices are shown (EU 2023/1804, 5(4)): per kWh, per minute, per session, then everything else.
import type { Offer } from '../../api';

const ORDER = [/kwh/i, /minute|min\b/i, /session|start/i];

export function ordered(offers: Offer[]): Offer[] {
  const rank = ({ label }: Offer) => {
    const found = ORDER.findIndex((pattern) => pattern.test(label));
    return found < 0 ? ORDER.length : found;
  };
  return offers.map((offer, index) => [rank(offer), index, offer] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , offer]) => offer);
}
