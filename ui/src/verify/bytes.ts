// Hex, base64, and the few shapes of DER that keys and ECDSA signatures have. Every reader answers null instead of
// guessing when the bytes are not exactly of that shape.

export type Bytes = Uint8Array<ArrayBuffer>;

export function fromHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Standard or URL alphabet, with or without padding. */
export function fromBase64(text: string): Bytes | null {
  const plain = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]+$/.test(plain) || plain.length % 4 === 1) return null;
  try {
    return Uint8Array.from(atob(plain), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

export const SEQUENCE = 0x30;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OBJECT_ID = 0x06;

/** Splits DER into its elements; null if a length does not fit. */
export function elements(der: Bytes): { tag: number; content: Bytes }[] | null {
  const found: { tag: number; content: Bytes }[] = [];
  let at = 0;
  while (at < der.length) {
    const tag = der[at] ?? 0;
    let length = der[at + 1];
    let start = at + 2;
    if (length === undefined) return null;
    if (length === 0x81) { length = der[at + 2]; start = at + 3; } else if (length > 0x7f) return null;
    if (length === undefined || start + length > der.length) return null;
    found.push({ tag, content: der.slice(start, start + length) });
    at = start + length;
  }
  return found;
}

/** An ECDSA signature in DER as r||s of `size` bytes each (what WebCrypto wants). */
export function rawSignature(der: Bytes, size: number): Bytes | null {
  const outer = elements(der);
  if (outer?.length !== 1 || outer[0]?.tag !== SEQUENCE) return null;
  const inner = elements(outer[0].content);
  if (inner?.length !== 2) return null;
  const raw = new Uint8Array(2 * size);
  for (const [index, { tag, content }] of inner.entries()) {
    let number = content;
    while (number.length > 1 && number[0] === 0) number = number.slice(1);
    if (tag !== INTEGER || number.length === 0 || number.length > size) return null;
    raw.set(number, (index + 1) * size - number.length);
  }
  return raw;
}
