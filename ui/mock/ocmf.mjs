// A meter's signing hand for tests and the mock server: OCMF records as our virtual stations make them, with a key that
// is generated anew for every run.
import { generateKeyPairSync, sign } from 'node:crypto';

/** A meter with a fresh key on `curve` (OpenSSL's name). */
export function meter(curve = 'prime256v1') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey, spkiHex: spki.toString('hex').toUpperCase(), spki };
}

/** `2026-11-22T10:00:00,000+0000 S` */
export function stamp(at, clock = 'S') {
  return at.toISOString().replace('.', ',').replace('Z', '+0000') + ' ' + clock;
}

export function reading(at, tx, kwh, more = {}) {
  return { TM: stamp(at), TX: tx, RV: kwh, RI: '01-00:B0.08.00*FF', RU: 'kWh', RT: 'AC', EF: '', ST: 'G', ...more };
}

/** Payload text with exact decimals: `RV` is given as text and written as a number. */
export function payload(readings, more = {}) {
  const fields = {
    FV: '1.0', GI: 'Leyden virtual gateway', GS: 'GW-0007', GV: '0.1', PG: 'T1', MV: 'Leyden', MM: 'virtual', MS: 'LEY0000007',
    MF: '1.0', IS: true, IL: 'TRUSTED', IF: [], IT: 'CENTRAL', ID: 'K7Q2M9XW4T8A1B6C3D5E', CT: 'EVSEID', CI: 'DE*VLT*E0007*1',
    RD: readings, ...more,
  };
  return JSON.stringify(fields, (_, value) => (value === undefined ? undefined : value)).replace(/("RV":)"([^"]*)"/g, '$1$2');
}

export function record(key, text, { encoding = 'hex', form = 'der', curve } = {}) {
  const signature = sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: form === 'der' ? 'der' : 'ieee-p1363' });
  const parts = { ...(curve === null ? {} : { SA: curve ?? 'ECDSA-secp256r1-SHA256' }), ...(encoding === 'base64' ? { SE: 'base64' } : {}), SD: signature.toString(encoding) };
  return `OCMF|${text}|${JSON.stringify(parts)}`;
}

/** The SAFE container. */
export function safeXml(records, key) {
  const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const values = records.map((one, index) => `  <value transactionId="1" context="${index === 0 ? 'Transaction.Begin' : 'Transaction.End'}">
    <signedData format="OCMF" encoding="plain" transactionId="1">${escape(one)}</signedData>
${key ? `    <publicKey encoding="hex">${key.spkiHex}</publicKey>\n` : ''}  </value>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<values>\n${values.join('\n')}\n</values>\n`;
}
