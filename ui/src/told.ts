// Sentences of the server that have a part of their own in them, in the reader's language. What is not known stays as it is.
import { t } from './i18n.svelte';

/** A dictionary has the sentence; the gap's content is a sentence of the server too. */
const TOLD: [RegExp, string, string[]][] = [
  [/^This charging point is not free: (.+)\.$/, 'This charging point is not free: {why}.', ['why']],
  [/^The station could not be told to stop: (.+)\.$/, 'The station could not be told to stop: {why}.', ['why']],
  [/^The amount is too small: (.+) is the smallest\.$/, 'The amount is too small: {amount} is the smallest.', ['amount']],
  [/^The amount is too large: (.+) is the largest\.$/, 'The amount is too large: {amount} is the largest.', ['amount']],
  [/^The station did not start\. It was told to, and (.+)\.$/, 'The station did not start: {why}.', ['why']],
  [/^the station answered (.+)$/, 'the station answered {word}', ['word']],
];

export function told(text: string): string {
  for (const [pattern, sentence, names] of TOLD) {
    const found = pattern.exec(text);
    if (found) return t(sentence, Object.fromEntries(names.map((name, index) => [name, told(found[index + 1] ?? '')])));
  }
  return t(text);
}

/** The same as a sentence of its own: the server's reasons begin with a small letter. */
export function sentence(text: string): string {
  const said = told(text);
  return said.charAt(0).toLocaleUpperCase() + said.slice(1) + (/[.!?]$/.test(said) ? '' : '.');
}

const SPAN = /^(?:from (?<from>.+?))?(?: ?until (?<until>.+?))?(?: (?<what>delivered|of power|of the session))?$/;
const WHATS: Record<string, string> = { delivered: '{span} delivered', 'of power': '{span} of power', 'of the session': '{span} of the session' };

/** What a price is for, and when: "per kWh, from 18:00 until 22:00, on Monday". */
export function priceLabel(label: string): string {
  return label.split(', ').map((part, index) => (index === 0 ? t(part) : condition(part))).join(', ');
}

function condition(part: string): string {
  const { from, until, what } = SPAN.exec(part)?.groups ?? {};
  if (from || until) {
    const span = from && until ? t('from {from} until {until}', { from, until }) : from ? t('from {from}', { from }) : t('until {until}', { until: until ?? '' });
    return what ? t(WHATS[what] ?? '{span}', { span }) : span;
  }
  return part.startsWith('on ') ? `${t('on')} ${t(part.slice(3))}` : t(part);
}
