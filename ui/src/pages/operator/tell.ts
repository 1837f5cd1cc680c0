// Tells a station something and says what it answered, in its own words: what counts is never what was sent.
import type { Told } from '../../api.daily';
import { at, post } from '../../client';
import { asApiError } from '../../loader.svelte';
import { toast } from '../../toast.svelte';

/** Nothing where it could not be told at all. */
export async function tell(path: string, body: unknown = {}): Promise<Told | undefined> {
  try {
    const told = await post<Told>(path, body);
    toast(sentence(told.message), took(told) ? 'good' : 'bad');
    return told;
  } catch (cause) {
    const { message, path: field } = asApiError(cause);
    toast(field ? `${message} (${field})` : message, 'bad');
    return undefined;
  }
}

/** Messages of orders are clauses, written to stand behind a colon too. */
function sentence(clause: string): string { return clause.charAt(0).toUpperCase() + clause.slice(1); }

/** One of the words at `/words`. */
export function say(slug: string, station: string, word: { kind: string } & Record<string, unknown>): Promise<Told | undefined> {
  return tell(at('p', slug, 'stations', station, 'words'), word);
}

export function took({ outcome }: Told): boolean { return outcome === 'accepted' || outcome === 'scheduled'; }

/** A moment as `<input type="datetime-local">` wants it, in the viewer's zone. */
export function localInput(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

/** The way back; nothing where the field is empty. */
export function moment(input: string): string | undefined { return input ? new Date(input).toISOString() : undefined; }
