// The words and colours of states. Stations say OCPP's words, partners hear OCPI's (2.2.1, 8.4.5); a person reads ours.
// Colour never stands alone: every badge carries its word.
import type { Sample } from './api';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'plain';

const WORDS: Record<string, [word: string, tone: Tone]> = {
  available: ['Available', 'good'],
  preparing: ['Preparing', 'busy'],
  occupied: ['Occupied', 'busy'],
  charging: ['Charging', 'busy'],
  suspendedev: ['Paused by the car', 'busy'],
  suspendedevse: ['Paused by the station', 'warn'],
  finishing: ['Finishing', 'busy'],
  reserved: ['Reserved', 'warn'],
  blocked: ['Blocked', 'warn'],
  inoperative: ['Out of service', 'plain'],
  unavailable: ['Out of service', 'plain'],
  outoforder: ['Faulted', 'bad'],
  faulted: ['Faulted', 'bad'],
  removed: ['Removed', 'plain'],
  unknown: ['Unknown', 'plain'],
  pending: ['Waiting to start', 'busy'],
  active: ['Charging', 'busy'],
  stopping: ['Stopping', 'busy'],
  unclaimed: ['Nobody pays', 'warn'],
  void: ['Void', 'plain'],
  good: ['In order', 'good'],
  planned: ['Planned', 'plain'],
  ended: ['Ended', 'plain'],
  completed: ['Ended', 'plain'],
  closed: ['Ended', 'plain'],
  invalid: ['Invalid', 'bad'],
  waiting: ['Waiting', 'warn'],
  delivered: ['Delivered', 'good'],
  refused: ['Refused', 'bad'],
  open: ['Open', 'warn'],
  accepted: ['Accepted', 'good'],
  rejected: ['Rejected', 'plain'],
  issued: ['Issued', 'good'],
  scheduled: ['Scheduled', 'busy'],
  timedout: ['Timed out', 'warn'],
  notconnected: ['Not connected', 'warn'],
  error: ['Error', 'bad'],
  sent: ['Sent', 'busy'],
  acknowledged: ['Acknowledged', 'busy'],
  started: ['Started', 'good'],
  connected: ['Connected', 'good'],
  offline: ['Offline', 'plain'],
  suspended: ['Suspended', 'warn'],
  valid: ['valid', 'good'],
  validwithremarks: ['valid with remarks', 'warn'],
  notvalid: ['not valid', 'bad'],
  cannotbechecked: ['cannot be checked', 'plain'],
};

/** A state that is not known here is shown as it was said. */
export function state(said: string): { word: string; tone: Tone } {
  const [word, tone] = WORDS[said.toLowerCase().replace(/[^a-z]/g, '')] ?? [said, 'plain' as const];
  return { word, tone };
}

export function isRunning(session: { end: string | null }): boolean { return session.end === null; }

/** What a place is called; nothing once it was forgotten. */
export function placeName(place: { name: string | null; address: string } | null): string {
  return place ? (place.name ?? place.address) : '–';
}

/** Readings that do not count are left out of the plot. */
export function powerPoints(curve: Sample[]): { at: string; value: number }[] {
  return curve.flatMap(({ at, power_w, flaw }) => (power_w === null || flaw ? [] : [{ at, value: power_w }]));
}

/** Plugs as OCPI names them, in the words of a label (OCPI 2.2.1, 8.4.4). */
export function plug(said: string): string {
  const known: Record<string, string> = {
    IEC_62196_T2: 'Type 2', IEC_62196_T2_COMBO: 'CCS', CHADEMO: 'CHAdeMO', DOMESTIC_F: 'Schuko', IEC_62196_T1: 'Type 1',
    IEC_62196_T1_COMBO: 'CCS (Type 1)', TESLA_S: 'Tesla',
  };
  return known[said.toUpperCase()] ?? said;
}
