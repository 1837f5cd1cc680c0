// A strict, bounded JSON reader for signed payloads. Unlike JSON.parse it keeps numbers as their text (a meter's
// decimals are evidence) and refuses a name that appears twice (two readers could read two things from it).

export type Json = null | boolean | string | Num | Json[] | { [name: string]: Json };
/** A number as written. */
export class Num { constructor(readonly text: string) {} }

export class JsonFault extends Error {}

/** OCMF needs four levels; more is an attack or a mistake. */
const DEPTH_MAX = 8;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\r\n]*/y;

export function readJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  #at = 0;
  constructor(readonly text: string) {}

  value(depth: number): Json {
    if (depth > DEPTH_MAX) throw new JsonFault('it is nested too deeply');
    this.#match(SPACE);
    const first = this.text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of [['true', true], ['false', false], ['null', null]] as const) {
      if (this.text.startsWith(word, this.#at)) { this.#at += word.length; return value; }
    }
    const number = this.#match(NUMBER);
    if (!number) throw new JsonFault(`it is no JSON at character ${this.#at + 1}`);
    return new Num(number);
  }

  end(): void {
    this.#match(SPACE);
    if (this.#at !== this.text.length) throw new JsonFault(`something follows the JSON at character ${this.#at + 1}`);
  }

  #object(depth: number): { [name: string]: Json } {
    const object: { [name: string]: Json } = Object.create(null) as { [name: string]: Json };
    this.#at += 1;
    if (this.#next('}')) return object;
    do {
      this.#match(SPACE);
      const name = this.#string();
      if (name in object) throw new JsonFault(`"${name.slice(0, 16)}" appears twice`);
      this.#need(':');
      object[name] = this.value(depth + 1);
    } while (this.#next(','));
    this.#need('}');
    return object;
  }

  #array(depth: number): Json[] {
    const array: Json[] = [];
    this.#at += 1;
    if (this.#next(']')) return array;
    do array.push(this.value(depth + 1)); while (this.#next(','));
    this.#need(']');
    return array;
  }

  #string(): string {
    const text = this.#match(STRING);
    if (!text) throw new JsonFault(`a string is missing or broken at character ${this.#at + 1}`);
    return JSON.parse(text) as string;
  }

  #next(sign: string): boolean {
    this.#match(SPACE);
    if (this.text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #need(sign: string): void {
    if (!this.#next(sign)) throw new JsonFault(`"${sign}" is missing at character ${this.#at + 1}`);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}
