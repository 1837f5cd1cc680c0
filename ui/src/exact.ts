// Exact decimals for meter readings and money: a whole number and a count of decimals. No floats near energy or money.
// Only what the pages need: reading, comparing, subtracting, printing.

/** value = digits / 10^scale */
export interface Exact { digits: bigint; scale: number }

const FORM = /^([+-]?)(\d{1,30})(?:\.(\d{1,20}))?(?:[eE]([+-]?\d{1,2}))?$/;

export function exact(text: string): Exact | null {
  const match = FORM.exec(text.trim());
  if (!match) return null;
  const [, sign, whole, part = '', power = '0'] = match;
  let digits = BigInt(whole + part);
  let scale = part.length - Number(power);
  if (scale < 0) { digits *= 10n ** BigInt(-scale); scale = 0; }
  return { digits: sign === '-' ? -digits : digits, scale };
}

export function minus(a: Exact, b: Exact): Exact {
  const scale = Math.max(a.scale, b.scale);
  return { digits: raise(a, scale) - raise(b, scale), scale };
}

export function compare(a: Exact, b: Exact): -1 | 0 | 1 {
  const { digits } = minus(a, b);
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
}

/** Moves the point: `shift(x, 3)` is x / 1000. Keeps every digit. */
export function shift(a: Exact, places: number): Exact {
  return places >= 0 ? { digits: a.digits, scale: a.scale + places } : { digits: raise(a, a.scale - places), scale: a.scale };
}

export function print(a: Exact): string {
  const negative = a.digits < 0n;
  const text = (negative ? -a.digits : a.digits).toString().padStart(a.scale + 1, '0');
  const whole = text.slice(0, text.length - a.scale);
  const part = a.scale > 0 ? '.' + text.slice(text.length - a.scale) : '';
  return (negative ? '-' : '') + whole + part;
}

function raise(a: Exact, scale: number): bigint {
  return a.digits * 10n ** BigInt(scale - a.scale);
}
