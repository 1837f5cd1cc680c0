// What a station said to a key that it was sent. Where nobody knows whether it has it, that is what a person reads.
import type { Told } from '../../api.daily';

export const RENEWED = {
  has: 'The station has its new key and comes back with it.',
  soon: 'The station takes its new key with its next boot. Until it has come with it, both open.',
  refused: 'The station did not take the key. The one that it has stays good.',
  unsure: 'Nobody knows whether the station took the key. Both open until it shows which it has, when it connects again.',
};

export function renewed({ outcome, written }: Told): keyof typeof RENEWED {
  const word = written?.[0]?.result;
  if (word === 'accepted') return 'has';
  if (word === 'after_reboot') return 'soon';
  return word !== undefined || outcome === 'refused' || outcome === 'not_connected' ? 'refused' : 'unsure';
}
