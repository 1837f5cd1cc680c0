// One OCMF record: three parts between bars, the payload kept as the bytes that were signed. Reads generously (real
// records leave out mandatory fields and carry readings forward); judging is the business of `session.ts`.
import { type Exact, exact, shift } from '../exact';
import { type Bytes, fromBase64, fromHex } from './bytes';
import { type Json, JsonFault, Num, readJson } from './json';

export interface Reading {
  at: Date | null;
  atWritten: string;
  clock: 'U' | 'I' | 'S' | 'R' | null;
  moment: string | null;
  /** As written, with all decimals. */
  written: string;
  kwh: Exact | null;
  obis: string;
  state: string | null;
  errors: string;
}

export interface OcmfRecord {
  raw: string;
  payload: Bytes;
  fields: Record<string, string>;
  flags: string[];
  assigned: boolean | null;
  readings: Reading[];
  loss: string | null;
  algorithm: string | null;
  signature: Bytes | null;
}

/** OCMF payloads are a few hundred bytes; with hundreds of readings a few ten thousand. */
const RECORD_MAX = 200_000;
const READINGS_MAX = 1_000;

export class RecordFault extends Error {}

export function readRecord(raw: string): OcmfRecord {
  if (raw.length > RECORD_MAX) throw new RecordFault('it is too long');
  const parts = raw.split('|');
  const [header, payloadText, signatureText] = parts;
  if (parts.length !== 3 || header !== 'OCMF' || payloadText === undefined || signatureText === undefined) {
    throw new RecordFault('it is not of the form OCMF|payload|signature');
  }
  const payload = object(payloadText);
  const signature = object(signatureText);
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(payload)) {
    const text = plain(value);
    if (text !== null && text !== '') fields[name] = text;
  }
  const flags = payload['IF'];
  return {
    raw,
    payload: new TextEncoder().encode(payloadText),
    fields,
    flags: Array.isArray(flags) ? flags.flatMap((flag) => plain(flag) ?? []) : [],
    assigned: typeof payload['IS'] === 'boolean' ? payload['IS'] : null,
    readings: readings(payload['RD']),
    loss: loss(payload['LC']),
    algorithm: plain(signature['SA'] ?? null),
    signature: decode(plain(signature['SD'] ?? null) ?? '', plain(signature['SE'] ?? null)),
  };
}

function object(text: string): { [name: string]: Json } {
  let value: Json;
  try {
    value = readJson(text);
  } catch (fault) {
    throw new RecordFault(fault instanceof JsonFault ? fault.message : 'it is no JSON');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Num) {
    throw new RecordFault('it is no JSON object');
  }
  return value;
}

function plain(value: Json): string | null {
  if (value instanceof Num) return value.text;
  return typeof value === 'string' ? value : null;
}

/** A reading may leave out what equals the reading before it (OCMF 1.4.1, table 7). */
function readings(value: Json | undefined): Reading[] {
  if (!Array.isArray(value) || value.length > READINGS_MAX) throw new RecordFault('its readings are missing or too many');
  let before: { [name: string]: Json } = {};
  return value.map((one) => {
    if (one === null || typeof one !== 'object' || Array.isArray(one) || one instanceof Num) {
      throw new RecordFault('a reading is no JSON object');
    }
    const now = { ...before, ...one };
    before = now;
    return reading((name) => plain(now[name] ?? null));
  });
}

function reading(field: (name: string) => string | null): Reading {
  const { at, clock } = time(field('TM') ?? '');
  const value = field('RV') ?? '';
  const unit = field('RU') ?? '';
  const number = exact(value);
  const kwh = number && (unit === 'kWh' ? number : unit === 'Wh' ? shift(number, 3) : null);
  return {
    at, clock, kwh,
    atWritten: field('TM') ?? '',
    moment: field('TX'),
    written: `${value} ${unit}`.trim(),
    obis: field('RI') ?? '',
    state: field('ST'),
    errors: field('EF') ?? '',
  };
}

const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[,.](\d{1,3}))?([+-]\d{2}):?(\d{2})(?: ([UISR]))?$/;

function time(text: string): Pick<Reading, 'at' | 'clock'> {
  const match = TIME.exec(text.trim());
  if (!match) return { at: null, clock: null };
  const [, moment, milli = '0', hours, minutes, clock] = match;
  const at = new Date(`${moment}.${milli.padEnd(3, '0')}${hours}:${minutes}`);
  return { at: Number.isNaN(at.getTime()) ? null : at, clock: (clock as Reading['clock']) ?? null };
}

function loss(value: Json | undefined): string | null {
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Num) return null;
  const resistance = plain(value['LR'] ?? null);
  return resistance === null ? null : `${resistance} ${plain(value['LU'] ?? null) ?? ''}`.trim();
}

/** `SE` is hex unless it says base64; some records say the one and are the other. */
function decode(data: string, encoding: string | null): Bytes | null {
  return encoding?.toLowerCase() === 'base64' ? fromBase64(data) : (fromHex(data) ?? fromBase64(data));
}
