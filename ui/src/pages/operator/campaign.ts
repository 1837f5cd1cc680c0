// How far a firmware campaign has come: counted per wave, so that people see which wave stands.
import type { Campaign, CampaignStation } from '../../api.daily';

export interface Progress { total: number; done: number; failed: number; going: number; waiting: number }

export function progress(stations: CampaignStation[]): Progress {
  const count = (...states: CampaignStation['state'][]) => stations.filter(({ state }) => states.includes(state)).length;
  return { total: stations.length, done: count('done'), failed: count('failed', 'refused'), going: count('asked', 'going'), waiting: count('waiting') };
}

export function waves({ stations }: Campaign): { wave: number; stations: CampaignStation[]; progress: Progress }[] {
  const numbers = [...new Set(stations.map(({ wave }) => wave))].sort((a, b) => a - b);
  return numbers.map((wave) => {
    const of = stations.filter((one) => one.wave === wave);
    return { wave, stations: of, progress: progress(of) };
  });
}
