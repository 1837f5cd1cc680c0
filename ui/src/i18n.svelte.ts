// English is the source; German is a dictionary keyed by the English sentence, so that a missing translation shows
// readable English instead of a key. `{name}` in a sentence is filled from the second argument.
import { de } from './de';

const KEY = 'leyden.language';
export type Language = 'en' | 'de';

const state = $state<{ language: Language }>({ language: initial() });
document.documentElement.lang = state.language;

export const language = {
  get now(): Language { return state.language; },
  /** For Intl: dates and numbers follow the language; English uses the British order of day and month. */
  get locale(): string { return state.language === 'de' ? 'de-DE' : 'en-GB'; },
};

export function setLanguage(to: Language): void {
  state.language = to;
  document.documentElement.lang = to;
  try { localStorage.setItem(KEY, to); } catch { /* storage is off: the choice lasts as long as the page */ }
}

export function t(sentence: string, fill?: Record<string, string | number>): string {
  const text = state.language === 'de' ? (de[sentence] ?? sentence) : sentence;
  return fill ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole)) : text;
}

function initial(): Language {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'de' ? 'de' : 'en';
  } catch {
    return 'en';
  }
}
