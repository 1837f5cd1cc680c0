// Every sentence that the pages translate has a German one, with the same gaps to fill.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { de, parts } from '../src/de';
import { CAPABILITIES } from '../src/pages/operator/capability';
import { USES } from '../src/pages/operator/certificates';
import { RENEWED } from '../src/pages/operator/key';
import { SEVERITIES } from '../src/pages/operator/model';
import { REQUEST_STATES, REQUESTS } from '../src/pages/operator/requests';

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
  it('knows the sentences that stand in tables', () => {
    const tables = ['src/pages/operator/Alarms.svelte', 'src/pages/operator/refusal.ts', 'src/pages/operator/tariff.ts'];
    const said = tables.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter((line) => /^ +(\w+: )?\[.*'\],?|^ +\['[A-Z]+', '/.test(line)))
      .flatMap((line) => [...line.matchAll(/'([A-Z][^']+)'/g)].map(([, sentence]) => sentence ?? '')).filter((sentence) => !/^[A-Z_]+$/.test(sentence));
    expect(said.length).toBeGreaterThan(30);
    expect(said.filter((sentence) => !(sentence in de))).toEqual([]);
  });
  it('knows the words of badges and of what payloads lack', () => {
    const words = files.filter((file) => file.endsWith('.svelte')).flatMap((file) => [...readFileSync(`src/${file}`, 'utf8').matchAll(/\bword="([^"{]+)"/g)].map(([, word]) => word ?? ''));
    const lacks = [...readFileSync('src/expert/payload.ts', 'utf8').matchAll(/\btext: '([^']+)'/g)].map(([, text]) => text ?? '');
    expect(lacks.length).toBeGreaterThan(8);
    const tables = [...SEVERITIES, ...Object.values(REQUESTS), ...Object.values(REQUEST_STATES).map(([word]) => word), ...Object.values(USES), ...Object.values(RENEWED), ...CAPABILITIES.map(([, word]) => word)];
    expect([...words, ...lacks, ...tables].filter((sentence) => !(sentence in de))).toEqual([]);
  });
  it('says a sentence in one way, whoever reads it', () => {
    expect(parts.flatMap((part) => Object.entries(part)).filter(([english, german]) => de[english] !== german)).toEqual([]);
  });
  it('keeps the gaps', () => {
    const gaps = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();
    expect(Object.entries(de).filter(([english, german]) => gaps(english).join() !== gaps(german).join())).toEqual([]);
  });
});
