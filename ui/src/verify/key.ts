// The public key of a meter in the spellings in which labels, registers and files print it: SubjectPublicKeyInfo or a
// bare point, hex or base64, in groups of any size, and the composed form that OCPP carries (`oca:base16:asn1:...`).
// WebCrypto calculates on P-256 and P-384; for other curves the honest answer is "cannot be checked".
import { BIT_STRING, type Bytes, elements, fromBase64, fromHex, OBJECT_ID, SEQUENCE, toHex } from './bytes';

export type KeySource = 'in-file' | 'given';
export interface MeterKey {
  curve: string;
  /** SubjectPublicKeyInfo. */
  spki: Bytes;
  point: Bytes;
}

/** A key's text is never longer: P-384 in hex, composed and in base64, with blanks, fits several times. */
const TEXT_MAX = 2_048;

interface Curve { name: string; web?: 'P-256' | 'P-384'; oid: string; size: number }
const CURVES: Curve[] = [
  { name: 'secp256r1', web: 'P-256', oid: '2a8648ce3d030107', size: 32 },
  { name: 'secp384r1', web: 'P-384', oid: '2b81040022', size: 48 },
  { name: 'secp192r1', oid: '2a8648ce3d030101', size: 24 },
  { name: 'secp256k1', oid: '2b8104000a', size: 32 },
  { name: 'secp192k1', oid: '2b8104001f', size: 24 },
  { name: 'brainpool256r1', oid: '2b2403030208010107', size: 32 },
  { name: 'brainpool384r1', oid: '2b240303020801010b', size: 48 },
];
const EC_PUBLIC_KEY = '2a8648ce3d0201';

/** Null: this text is no key of a meter. */
export function readKey(text: string): MeterKey | null {
  if (text.length > TEXT_MAX) return null;
  const trimmed = text.trim();
  if (trimmed.startsWith('oca:')) return composed(trimmed);
  const bytes = decode(trimmed);
  if (!bytes) return null;
  const inner = String.fromCharCode(...bytes.slice(0, 4)) === 'oca:' ? new TextDecoder().decode(bytes) : null;
  return inner ? composed(inner) : (ofSpki(bytes) ?? ofPoint(bytes));
}

/** SHA-256 of the SubjectPublicKeyInfo in hex: what two people compare. */
export async function fingerprint(key: MeterKey): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', key.spki)));
}

export function curveOf(name: string): Curve | undefined { return CURVES.find((curve) => curve.name === name); }

/** Is it the same key, however it was spelled? */
export function sameKey(a: MeterKey, b: MeterKey): boolean {
  return toHex(a.spki) === toHex(b.spki);
}

function composed(text: string): MeterKey | null {
  const [, encoding, form, key = ''] = text.split(':', 4);
  if (form !== 'asn1' || (encoding !== 'base16' && encoding !== 'base64')) return null;
  const bytes = decode(key);
  return bytes && ofSpki(bytes);
}

function decode(text: string): Bytes | null {
  const joined = text.replace(/[\s;:,\ufeff\u00a0]/g, '');
  return fromHex(joined.replace(/^0x/i, '').replace(/-/g, '')) ?? fromBase64(joined);
}

function ofSpki(bytes: Bytes): MeterKey | null {
  const outer = elements(bytes);
  if (outer?.length !== 1 || outer[0]?.tag !== SEQUENCE) return null;
  const [algorithm, bits, more] = elements(outer[0].content) ?? [];
  if (algorithm?.tag !== SEQUENCE || bits?.tag !== BIT_STRING || bits.content[0] !== 0 || more) return null;
  const [kind, curveId] = elements(algorithm.content) ?? [];
  if (kind?.tag !== OBJECT_ID || toHex(kind.content) !== EC_PUBLIC_KEY || curveId?.tag !== OBJECT_ID) return null;
  const curve = CURVES.find(({ oid }) => oid === toHex(curveId.content));
  return curve ? { curve: curve.name, spki: bytes, point: bits.content.slice(1) } : null;
}

/** A bare point does not name its curve; its length does, with the usual curve taken first. */
function ofPoint(bytes: Bytes): MeterKey | null {
  const bare = bytes.length % 2 === 0;
  if (!bare && bytes[0] !== 4) return null;
  const size = (bare ? bytes.length : bytes.length - 1) / 2;
  const curve = CURVES.find((one) => one.size === size);
  if (!curve) return null;
  const point = bare ? Uint8Array.of(4, ...bytes) : bytes;
  return { curve: curve.name, point, spki: wrap(curve, point) };
}

function wrap(curve: Curve, point: Bytes): Bytes {
  const element = (tag: number, content: number[]): number[] => [tag, content.length, ...content];
  const algorithm = element(SEQUENCE, [
    ...element(OBJECT_ID, [...(fromHex(EC_PUBLIC_KEY) ?? [])]), ...element(OBJECT_ID, [...(fromHex(curve.oid) ?? [])]),
  ]);
  return Uint8Array.from(element(SEQUENCE, [...algorithm, ...element(BIT_STRING, [0, ...point])]));
}
