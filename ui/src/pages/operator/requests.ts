// The words of requests that a station answers later: what was asked, and how far it has come.
import type { RequestState } from '../../api.daily';
import type { Tone } from '../../status';

export const REQUESTS: Record<string, string> = {
  log: 'Log', diagnostics: 'Diagnostics', firmware: 'Firmware', publishing: 'Publishing of firmware', report: 'Report', monitors: 'Monitors',
  profiles: 'Charging profiles', displays: 'Display messages', customer: 'Customer information', grid: 'Grid controls', swap: 'Battery swap',
};

export const REQUEST_STATES: Record<'waiting' | RequestState, [word: string, tone: Tone]> = {
  waiting: ['Waiting', 'plain'], asked: ['Asked', 'busy'], going: ['Going on', 'busy'], done: ['Done', 'good'], failed: ['Failed', 'bad'],
  refused: ['Refused', 'bad'],
};
