// Verifies signed meter records in the browser, offline: nothing leaves this page. Answers in one of four words; "not
// valid" is said only of a record that was checked and does not hold, never because a key or a curve is missing here.
import type { VerdictWord } from './api';
import { print } from './exact';
import { rawSignature, toHex } from './verify/bytes';
import { type Bundle, readFile } from './verify/file';
import { curveOf, fingerprint, type KeySource, type MeterKey, readKey, sameKey } from './verify/key';
import { type OcmfRecord, readRecord, RecordFault } from './verify/ocmf';
import { durationBillable, judge, type Judged, remarks, SessionFault } from './verify/session';

export interface Finding {
  verdict: VerdictWord;
  reasons: string[];
  /** Label and value, in the order in which they are shown. */
  lines: [label: string, value: string][];
  raw: string[];
}

/** Begin, end, and ten days of quarter-hourly records in between. */
const RECORDS_MAX = 1_000;

/** One finding per session in the file. A given key (from the station's display) goes before the one in the file. */
export async function verifyFile(text: string, givenKey = '', from = 'given by you'): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const bundle of readFile(text)) findings.push(await verifyBundle(bundle, givenKey, from));
  return findings;
}

async function verifyBundle(bundle: Bundle, givenKey: string, from: string): Promise<Finding> {
  const cannot = (reason: string, lines: Finding['lines'] = []): Finding =>
    ({ verdict: 'cannot be checked', reasons: [reason], lines, raw: bundle.records });
  if (bundle.format !== 'OCMF') return cannot(`the format ${bundle.format.slice(0, 32)} is not known here`);
  if (bundle.records.length > RECORDS_MAX) return cannot('there are more signed records than a session can have');
  const records = parse(bundle.records);
  if (typeof records === 'string') return { ...cannot(''), verdict: 'not valid', reasons: [records] };
  const said = about(records);
  const text = givenKey.trim() || bundle.key;
  if (!text) return cannot('there is no public key', said);
  const source: KeySource = givenKey.trim() ? 'given' : 'in-file';
  const key = readKey(text);
  if (!key) {
    return cannot(source === 'given' ? 'the given key is not usable' : 'the key that came with the record is not usable', said);
  }
  const lines = [...said, ...(await aboutKey(key, source, from, records))];
  const notes: string[] = [];
  const obstacle = await signatures(records, key);
  if (obstacle) return { verdict: obstacle.verdict, reasons: [obstacle.reason], lines, raw: bundle.records };
  if (source === 'in-file') notes.push('the key came with the file; compare its fingerprint with the station or a register');
  const inFile = bundle.key ? readKey(bundle.key) : null;
  if (source === 'given' && inFile && !sameKey(inFile, key)) notes.push('the key that came with the file is not the one that was used');
  try {
    const judged = judge(records);
    notes.push(...remarks(records, judged));
    const verdict = notes.length > 0 ? 'valid with remarks' : 'valid';
    return { verdict, reasons: notes, lines: [...measured(judged), ...lines], raw: bundle.records };
  } catch (fault) {
    if (!(fault instanceof SessionFault)) throw fault;
    return { verdict: 'not valid', reasons: [fault.message], lines, raw: bundle.records };
  }
}

function parse(raw: string[]): OcmfRecord[] | string {
  const records: OcmfRecord[] = [];
  for (const [index, text] of raw.entries()) {
    try {
      records.push(readRecord(text));
    } catch (fault) {
      if (!(fault instanceof RecordFault)) throw fault;
      return `record ${index + 1} cannot be read: ${fault.message}`;
    }
  }
  return records;
}

type Obstacle = { verdict: 'not valid' | 'cannot be checked'; reason: string };

async function signatures(records: OcmfRecord[], key: MeterKey): Promise<Obstacle | null> {
  const curve = curveOf(key.curve);
  for (const [index, record] of records.entries()) {
    const signed = /^ECDSA-(\w+)-SHA256$/.exec(record.algorithm ?? `ECDSA-${key.curve}-SHA256`)?.[1];
    if (!signed || !curveOf(signed)) {
      return { verdict: 'cannot be checked', reason: `signatures with ${(record.algorithm ?? '').slice(0, 32)} cannot be checked here` };
    }
    if (signed !== key.curve) {
      return { verdict: 'cannot be checked', reason: `the key is on curve ${key.curve}, the record is signed with ${signed}` };
    }
    if (!curve?.web) return { verdict: 'cannot be checked', reason: `signatures with ${signed} cannot be checked here` };
    const algorithm = { name: 'ECDSA', namedCurve: curve.web };
    let usable: CryptoKey;
    try {
      usable = await crypto.subtle.importKey('raw', key.point, algorithm, false, ['verify']);
    } catch {
      return { verdict: 'cannot be checked', reason: 'the key is no point on its curve: probably a copying error' };
    }
    const { signature } = record;
    // Some signers write r and s side by side although the standard says DER (OCMF 1.4.1, table 21).
    const raw = signature && (rawSignature(signature, curve.size) ?? (signature.length === 2 * curve.size ? signature : null));
    const holds = raw && (await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, usable, raw, record.payload));
    if (!holds) {
      return { verdict: 'not valid', reason: `the signature of record ${index + 1} does not match its content and the key` };
    }
  }
  return null;
}

const CLOCKS = { S: 'synchronised', I: 'informative', R: 'relative', U: 'unknown' };

function measured(judged: Judged): Finding['lines'] {
  const { begin, end, energy, side } = judged;
  const moment = (reading: typeof begin) => reading.atWritten.replace(/ [UISR]$/, '');
  const quality = (reading: typeof begin) => CLOCKS[reading.clock ?? 'U'];
  const span = (end.at?.getTime() ?? 0) - (begin.at?.getTime() ?? 0);
  const seconds = Math.round(span / 1000);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return [
    ['Energy', `${print(energy)} kWh`],
    ['Register at begin', begin.written],
    ['Register at end', end.written],
    ['Register', begin.obis || 'not named'],
    ['Measured', side],
    ['Begin', moment(begin)],
    ['Clock at begin', quality(begin)],
    ['End', moment(end)],
    ['Clock at end', quality(end)],
    ['Duration', durationBillable(judged)
      ? clock.map((part) => String(part).padStart(2, '0')).join(':') : 'may not be billed by this clock'],
  ];
}

function about(records: OcmfRecord[]): Finding['lines'] {
  const [first] = records;
  const field = (name: string) => first?.fields[name];
  const joined = (...names: string[]) => names.flatMap((name) => field(name) ?? []).join(' ');
  const lines: [string, string | undefined][] = [
    ['Meter', joined('MV', 'MM')],
    ['Meter serial', field('MS')],
    ['Meter firmware', field('MF')],
    ['Signing device', joined('GI', 'GS', 'GV')],
    ['Controller firmware', field('CF')],
    ['Charge point', field('CI')],
    ['Identification', [field('IT'), shortened(field('ID')), field('IL'), ...(first?.flags ?? [])].filter(Boolean).join(' · ')],
    ['Cable compensation', first?.loss ?? undefined],
    ['Tariff text (signed)', field('TT')],
    ['Page numbers', records.flatMap(({ fields }) => fields['PG'] ?? []).join(', ')],
  ];
  return lines.filter((line): line is [string, string] => Boolean(line[1]));
}

async function aboutKey(key: MeterKey, source: KeySource, from: string, records: OcmfRecord[]): Promise<Finding['lines']> {
  const payloads = new Uint8Array(await new Blob(records.map(({ payload }) => payload)).arrayBuffer());
  return [
    ['Algorithm', `ECDSA-${key.curve}-SHA256`],
    ['Key', source === 'given' ? from : 'came with the file'],
    ['Key fingerprint', await fingerprint(key)],
    ['Full key', toHex(key.spki).toUpperCase()],
    ['Digest of what was signed', toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', payloads)))],
  ];
}

/** Enough to recognise one's own card or contract, not enough to use it. */
function shortened(id: string | undefined): string | undefined {
  return id && id.length > 6 ? `${id.slice(0, 2)}…${id.slice(-2)}` : id;
}
