// The rules between records: a perfect signature is not a valid session. Begin and end exactly once, one meter, one
// session, pages without a gap, energy and time not falling, no fault flagged, a clock that was set. The same rules and
// words as the server's own verifier; signatures are checked elsewhere.
import { compare, type Exact, minus, print } from '../exact';
import type { OcmfRecord, Reading } from './ocmf';

export interface Judged {
  begin: Reading;
  end: Reading;
  energy: Exact;
  side: string;
  registerNamed: boolean;
}

export class SessionFault extends Error {}

const BEGIN = 'B';
const ENDS = ['E', 'L', 'R', 'A', 'P'];
/** Identification levels that say it failed (OCMF 1.4.1, table 11). */
const FAILED_LEVELS = ['MISMATCH', 'INVALID', 'OUTDATED', 'UNKNOWN'];
const STATES: Record<string, string> = {
  N: 'not present', T: 'time-out', D: 'disconnected', R: 'removed', M: 'manipulated', X: 'exchanged',
  I: 'incompatible', O: 'out of range', S: 'substitute value', E: 'error', F: 'read error',
};

export function judge(records: OcmfRecord[]): Judged {
  oneSourceAndSession(records);
  continuousPages(records);
  for (const record of records) sound(record);
  const { readings, side, named } = billedRegister(records);
  const { begin, end } = ends(readings);
  for (const { clock, at } of [begin, end]) {
    if (!at || !clock || clock === 'U') throw new SessionFault("the meter's clock is unknown: it was not set");
  }
  if ((end.at?.getTime() ?? 0) < (begin.at?.getTime() ?? 0)) throw new SessionFault('the time falls from begin to end');
  if (!begin.kwh || !end.kwh) throw new SessionFault('no register of delivered energy is read at begin and end');
  if (compare(end.kwh, begin.kwh) < 0) {
    throw new SessionFault(`the register falls by ${print(minus(begin.kwh, end.kwh))} kWh from begin to end`);
  }
  return { begin, end, energy: minus(end.kwh, begin.kwh), side, registerNamed: named };
}

/** What is true of a valid session but must be known to its reader. */
export function remarks(records: OcmfRecord[], { begin, end, registerNamed }: Judged): string[] {
  const found: string[] = [];
  const clocks = [begin.clock, end.clock];
  if (end.clock === 'R') {
    if (begin.clock !== 'S') found.push('the duration is lawful, the moment of the start is only informative');
  } else if (clocks.some((clock) => clock !== 'S')) {
    found.push("the meter's clock is only informative: time may not be billed by it");
  }
  if (!records.some(({ fields }) => fields['MS'])) found.push('the record does not name its meter');
  if (!registerNamed) found.push('the record does not say which register it read');
  if (end.moment === 'A' || end.moment === 'P') found.push('the charging ended with an error or a power failure');
  return found;
}

/** Only a relative end, or two synchronised moments, may be billed by time (OCMF 1.4.1, table 19). */
export function durationBillable({ begin, end }: Judged): boolean {
  return end.clock === 'R' || (begin.clock === 'S' && end.clock === 'S');
}

/** Does this record mark a begin, an end, or both? */
export function marks(record: OcmfRecord): { begins: boolean; ends: boolean } {
  const moments = record.readings.map(({ moment }) => moment ?? '');
  return { begins: moments.includes(BEGIN), ends: moments.some((moment) => ENDS.includes(moment)) };
}

function oneSourceAndSession(records: OcmfRecord[]): void {
  const differ = (name: string) => new Set(records.flatMap(({ fields }) => fields[name] ?? [])).size > 1;
  if (['MS', 'GS'].some(differ)) throw new SessionFault('the records come from different meters');
  if (['IT', 'ID', 'CI', 'TT'].some(differ)) throw new SessionFault('the records belong to different sessions');
}

function continuousPages(records: OcmfRecord[]): void {
  for (let index = 1; index < records.length; index += 1) {
    const from = records[index - 1]?.fields['PG'];
    const to = records[index]?.fields['PG'];
    if (!from || !to) throw new SessionFault('the records carry no page numbers to hold them together');
    const follows = from[0] === to[0] && /^\d{1,18}$/.test(from.slice(1)) && /^\d{1,18}$/.test(to.slice(1)) &&
      BigInt(from.slice(1)) + 1n === BigInt(to.slice(1));
    if (!follows) {
      throw new SessionFault(`page ${from} is followed by page ${to}: a record is missing, repeated or out of order`);
    }
  }
}

function sound({ fields, readings }: OcmfRecord): void {
  const level = fields['IL'] ?? '';
  if (FAILED_LEVELS.includes(level)) throw new SessionFault(`the identification failed: ${level}`);
  for (const { state, errors, moment } of readings) {
    if (state !== null && state !== '' && state !== 'G') {
      throw new SessionFault(`the meter reports a fault: ${STATES[state] ?? state}`);
    }
    if (/[Et]/.test(errors) || moment === 'X') throw new SessionFault('the meter marks energy or time as unusable');
  }
}

/** Loss-compensated registers before mains before the classic import register; one that is read at both ends wins. */
function billedRegister(records: OcmfRecord[]): { readings: Reading[]; side: string; named: boolean } {
  const registers = new Map<string, Reading[]>();
  for (const reading of records.flatMap((record) => record.readings)) {
    if (!reading.kwh || rank(reading.obis) === null) continue;
    registers.set(reading.obis, [...(registers.get(reading.obis) ?? []), reading]);
  }
  const best = [...registers].sort(([a, x], [b, y]) =>
    Number(!readAtBothEnds(x)) - Number(!readAtBothEnds(y)) || (rank(a) ?? 9) - (rank(b) ?? 9))[0];
  if (!best) throw new SessionFault('no register of delivered energy is read at begin and end');
  const [obis, readings] = best;
  const losses = records.some(({ loss }) => loss !== null);
  const order = rank(obis);
  const side = losses || order === 0 ? 'at the car, losses of the cable compensated'
    : order === 1 ? 'at the mains, not loss-compensated' : 'not said';
  return { readings, side, named: obis !== '' };
}

/** Lower is preferred; null is no delivered energy (registers of OCMF 1.4, OBIS group C; 2 is export). */
function rank(obis: string): number | null {
  if (obis === '') return 3;
  const group = /[:.]?([0-9A-F]{1,2})\.(?:0?8)\./i.exec(obis)?.[1]?.toUpperCase().replace(/^0/, '') ?? '';
  if (group === 'B1' || group === 'B3') return 0;
  if (group === 'B0' || group === 'B2') return 1;
  if (group === '1') return 2;
  return group === '2' || /^C[0-3]$/.test(group) ? null : 4;
}

function readAtBothEnds(readings: Reading[]): boolean {
  try { ends(readings); return true; } catch { return false; }
}

function ends(readings: Reading[]): { begin: Reading; end: Reading } {
  const begins = readings.filter(({ moment }) => moment === BEGIN);
  const stops = readings.filter(({ moment }) => ENDS.includes(moment ?? ''));
  const [begin, secondBegin] = begins;
  const [end, secondEnd] = stops;
  if (!begin) throw new SessionFault('no reading marks the begin');
  if (!end) throw new SessionFault('no reading marks the end');
  if (secondBegin) throw new SessionFault('more than one reading marks the begin');
  if (secondEnd) throw new SessionFault('more than one reading marks the end');
  if (readings.indexOf(end) < readings.indexOf(begin)) throw new SessionFault('the end comes before the begin');
  return { begin, end };
}
