// Every record here is signed by a key made for the run; the rules are those of the server's verifier.
import { existsSync, readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';
import { beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, shared with the mock server
import { meter, payload, reading, record, safeXml, stamp } from '../mock/ocmf.mjs';
import { verifyFile } from '../src/verify';

beforeAll(() => { globalThis.DOMParser = new JSDOM('').window.DOMParser; });

const key = meter();
const begin = new Date('2026-11-22T10:00:00Z');
const end = new Date('2026-11-22T10:42:30Z');
const session = (more = {}, last = {}) =>
  payload([reading(begin, 'B', '2935.600'), reading(end, 'E', '2948.055', last)], more);
const two = (firstMore = {}, secondMore = {}) => [
  record(key, payload([reading(begin, 'B', '2935.600')], { PG: 'T7', ...firstMore })),
  record(key, payload([reading(end, 'E', '2948.055')], { PG: 'T8', ...secondMore })),
];
const only = async (file: string, given = key.spkiHex) => {
  const findings = await verifyFile(file, given);
  expect(findings).toHaveLength(1);
  return findings[0]!;
};
const line = (finding: { lines: [string, string][] }, label: string) => finding.lines.find(([name]) => name === label)?.[1];

describe('a sound session', () => {
  it('is valid with the key that was given, and shows exact decimals', async () => {
    const finding = await only(record(key, session()));
    expect(finding).toMatchObject({ verdict: 'valid', reasons: [] });
    expect(line(finding, 'Energy')).toBe('12.455 kWh');
    expect(line(finding, 'Register at begin')).toBe('2935.600 kWh');
    expect(line(finding, 'Duration')).toBe('00:42:30');
    expect(line(finding, 'Measured')).toContain('not loss-compensated');
  });
  it('is valid with a remark when the key came with the file', async () => {
    const finding = await only(safeXml([record(key, session())], key), '');
    expect(finding.verdict).toBe('valid with remarks');
    expect(finding.reasons).toEqual([expect.stringContaining('the key came with the file')]);
  });
  it('may be spread over two records with pages in a row', async () => {
    expect(await only(safeXml(two(), key))).toMatchObject({ verdict: 'valid', reasons: [] });
  });
  it('shows only the ends of the identification', async () => {
    expect(line(await only(record(key, session())), 'Identification')).toContain('K7…5E');
  });
  it('may be written in watt-hours and carry fields forward', async () => {
    const text = payload([reading(begin, 'B', '100', { RU: 'Wh' }), { TM: stamp(end), TX: 'E', RV: '1350' }]);
    expect(line(await only(record(key, text)), 'Energy')).toBe('1.250 kWh');
  });
  it('verifies with signatures in base64 and side by side', async () => {
    expect((await only(record(key, session(), { encoding: 'base64' }))).verdict).toBe('valid');
    expect((await only(record(key, session(), { form: 'raw' }))).verdict).toBe('valid');
  });
  it('verifies on P-384', async () => {
    const other = meter('secp384r1');
    const text = record(other, session(), { curve: 'ECDSA-secp384r1-SHA256' });
    expect((await only(text, other.spkiHex)).verdict).toBe('valid');
  });
});

describe('spellings of the key', () => {
  const point = key.spkiHex.slice(-128);
  it.each([
    ['base64', key.spki.toString('base64')],
    ['groups of four', key.spkiHex.match(/.{1,4}/g).join(' ')],
    ['semicolons', key.spkiHex.toLowerCase().match(/../g).join(';')],
    ['bare X and Y', point],
    ['SEC1 point', '04' + point],
    ['as OCPP carries it', Buffer.from(`oca:base16:asn1:${key.spkiHex}`).toString('base64')],
  ])('%s', async (_, spelled) => {
    expect((await only(record(key, session()), spelled)).verdict).toBe('valid');
  });
});

describe('not valid', () => {
  const reasons = async (file: string) => {
    const finding = await only(file);
    expect(finding.verdict).toBe('not valid');
    return finding.reasons[0];
  };
  it.each([
    ['a changed byte', () => record(key, session()).replace('2948.055', '2948.155'), /signature of record 1/],
    ['white space added', () => record(key, session()).replace('{"FV"', '{ "FV"'), /signature of record 1/],
    ['a broken signature', () => record(key, session()).replace(/..."}$/, (end) => (end.startsWith('000') ? '111' : '000') + '"}'), /signature of record 1/],
    ['a falling register', () => record(key, payload([reading(begin, 'B', '10'), reading(end, 'E', '9.5')])), /falls by 0.5 kWh/],
    ['falling time', () => record(key, payload([reading(end, 'B', '1'), reading(begin, 'E', '2')])), /time falls/],
    ['a page twice', () => safeXml(two({ PG: 'T8' }, { PG: 'T8' }), key), /page T8 is followed by page T8/],
    ['end before begin', () => record(key, payload([reading(begin, 'E', '1'), reading(end, 'B', '2')])), /end comes before/],
    ['no end', () => record(key, payload([reading(begin, 'B', '1')])), /no reading marks the end/],
    ['two begins', () => record(key, payload([reading(begin, 'B', '1'), reading(begin, 'B', '1'), reading(end, 'E', '2')])), /more than one/],
    ['a missing page', () => safeXml(two({}, { PG: 'T9' }), key), /page T7 is followed by page T9/],
    ['another session', () => safeXml(two({}, { ID: 'SOMEBODYELSE' }), key), /different sessions/],
    ['another meter', () => safeXml(two({}, { MS: 'LEY0000008' }), key), /different meters/],
    ['a clock that was not set', () => record(key, session({}, { TM: stamp(end, 'U') })), /clock is unknown/],
    ['a meter fault', () => record(key, session({}, { ST: 'M' })), /manipulated/],
    ['an error flag', () => record(key, session({}, { EF: 'E' })), /unusable/],
    ['a failed identification', () => record(key, session({ IL: 'MISMATCH' })), /MISMATCH/],
    ['a name twice', () => record(key, session().replace('"FV":"1.0"', '"FV":"1.0","FV":"1.0"')), /appears twice/],
    ['deep nesting', () => record(key, session().replace('"FV":"1.0"', `"UX":${'['.repeat(50)}${']'.repeat(50)}`)), /nested/],
  ])('%s', async (_, file, why) => { expect(await reasons(file())).toMatch(why); });

  it('records in the wrong order make no session', async () => {
    const findings = await verifyFile(safeXml(two().reverse(), key), key.spkiHex);
    expect(findings.map(({ verdict }) => verdict)).toEqual(['not valid', 'not valid']);
  });
  it('with the key of another meter', async () => {
    expect(await only(record(key, session()), meter().spkiHex)).toMatchObject({ verdict: 'not valid' });
  });
});

describe('cannot be checked, which is never "not valid"', () => {
  it.each([
    ['no key', () => record(key, session()), '', /no public key/],
    ['a mistyped key', () => record(key, session()), key.spkiHex.slice(0, -2), /not usable/],
    ['a key off its curve', () => record(key, session()), '04' + 'ab'.repeat(64), /no point on its curve/],
    ['another format', () => safeXml(['AP;0;3;'], key).replace('"OCMF"', '"ALFEN"'), '', /format ALFEN/],
  ])('%s', async (_, file, given, why) => {
    const finding = await only(file(), given);
    expect(finding.verdict).toBe('cannot be checked');
    expect(finding.reasons[0]).toMatch(why);
  });
  it('a curve that the browser does not know', async () => {
    const old = meter('secp256k1');
    const finding = await only(record(old, session(), { curve: 'ECDSA-secp256k1-SHA256' }), old.spkiHex);
    expect(finding).toMatchObject({ verdict: 'cannot be checked' });
  });
});

describe('remarks', () => {
  it.each([
    ['an informative clock', () => session({}, { TM: stamp(end, 'I') }), /informative/],
    ['no meter serial', () => session({ MS: undefined }), /does not name its meter/],
    ['a power failure', () => session({}, { TX: 'P' }), /power failure/],
  ])('%s', async (_, text, why) => {
    const finding = await only(record(key, text()));
    expect(finding.verdict).toBe('valid with remarks');
    expect(finding.reasons.join()).toMatch(why);
  });
  it('a key in the file that is not the one used', async () => {
    const finding = await only(safeXml([record(key, session())], meter()));
    expect(finding.reasons).toEqual([expect.stringContaining('is not the one that was used')]);
  });
});

describe('files', () => {
  it('our own evidence file says the same as the container', async () => {
    const evidence = { evidence: 1, records: two().map((data: string) => ({ format: 'OCMF', data })), public_key: key.spkiHex };
    expect(await only(JSON.stringify(evidence), '')).toMatchObject({ verdict: 'valid with remarks' });
  });
  it('pairs begin and end where several sessions stand in one file', async () => {
    const records = [record(key, session()), ...two(), record(key, session({ PG: 'T9' }))];
    expect((await verifyFile(safeXml(records, key), key.spkiHex)).map(({ verdict }) => verdict)).toEqual(['valid', 'valid', 'valid']);
  });
  it('several sessions give several findings', async () => {
    const lines = [record(key, session()), record(key, session({ PG: 'T2' }))].join('\n');
    expect(await verifyFile(lines, key.spkiHex)).toHaveLength(2);
  });
  it.each([
    ['nothing known', 'hello', /no signed record/],
    ['broken XML', '<values><value>', /well-formed/],
    ['a document type', '<!DOCTYPE x [<!ENTITY a "b">]><values/>', /document type/],
  ])('refuses %s', async (_, text, why) => { await expect(verifyFile(text)).rejects.toThrow(why); });
});

const corpus = new URL('../../../shared/spec/metering/ocmf-crate/records.json', import.meta.url);
if (!existsSync(corpus)) console.warn('SKIPPED: the real OCMF records are not beside the project (../shared/spec)');

describe.runIf(existsSync(corpus))('real records agree with OpenSSL', () => {
  it('wherever the browser can calculate', async () => {
    const { entries } = JSON.parse(readFileSync(corpus, 'utf8')) as {
      entries: { source: string; record: string; key: string | null; openssl_verified: boolean | null }[];
    };
    const wrong: string[] = [];
    let decided = 0;
    for (const { source, record: text, key: given, openssl_verified: expected } of entries) {
      if (expected === null || !given) continue;
      const [finding] = await verifyFile(text, given).catch(() => []);
      if (!finding || finding.verdict === 'cannot be checked') continue;
      decided += 1;
      const refused = finding.reasons.some((reason) => reason.startsWith('the signature'));
      if (refused === expected) wrong.push(`${source}: ${finding.reasons.join()}`);
    }
    expect(wrong).toEqual([]);
    expect(decided).toBeGreaterThan(50);
  });
});
