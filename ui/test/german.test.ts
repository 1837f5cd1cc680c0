// Every sentence that the pages translate has a German one, with the same gaps to fill.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { de } from '../src/de';

const SENTENCE = /\bt\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g;
const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => /\.(svelte|ts)$/.test(file));

describe('German', () => {
  it('knows every sentence', () => {
    const sources = files.filter((file) => !/^de(\/|\.ts)/.test(file));
    expect(sources.length).toBeGreaterThan(40);
    const said = sources.flatMap((file) => [...readFileSync(`src/${file}`, 'utf8').matchAll(SENTENCE)].map((found) => found[1] ?? found[2] ?? ''));
    expect(said.length).toBeGreaterThan(300);
    expect([...new Set(said)].filter((sentence) => !(sentence in de))).toEqual([]);
  });
  it('keeps the gaps', () => {
    const gaps = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();
    expect(Object.entries(de).filter(([english, german]) => gaps(english).join() !== gaps(german).join())).toEqual([]);
  });
});
