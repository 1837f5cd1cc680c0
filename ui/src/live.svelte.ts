// One event stream per party, shared by all that is on the page and closed when nobody listens. The stream carries ids
// only; listeners refetch what they show, coalesced, so that a busy network does not become a storm of requests.
// Deliberately no polling: after a broken connection every listener is told to reload once.
import type { Event, EventKind } from './api';
import { at } from './client';

const KINDS: EventKind[] = [
  'station', 'evse', 'session', 'cdr', 'dispute', 'order', 'refusal', 'route', 'party', 'invoice', 'place', 'booking',
];
/** Events within this window become one refetch. */
const GATHER_MS = 400;
/** The browser gives up after an answer that is no stream (a restart behind a proxy); we do not. */
const REOPEN_MS = 10_000;

type Listener = { kinds: EventKind[]; tell: (event: Event | null) => void };
interface Stream { source: EventSource; listeners: Set<Listener>; broken: boolean }

const streams = new Map<string, Stream>();
const state = $state({ ok: true });

/** False while a stream is broken: pages say that what they show may be old. */
export const liveState = { get ok(): boolean { return state.ok; } };

/** A driver hears only of their own sessions, orders and invoices, and of places. */
export function liveDriver(slug: string, kinds: EventKind[], refetch: (ids: Set<string> | null) => void): () => void {
  return live(`${slug}/driver`, kinds, refetch);
}

/** Calls `refetch` with the ids touched (null: anything may have changed). Returns what ends it; use it in `$effect`. */
export function live(slug: string, kinds: EventKind[], refetch: (ids: Set<string> | null) => void): () => void {
  let ids = new Set<string>();
  let all = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    const told = all ? null : ids;
    ids = new Set();
    all = false;
    refetch(told);
  };
  const stop = listen(slug, {
    kinds,
    tell: (event) => {
      if (event === null) all = true;
      else ids.add(event.id);
      timer ??= setTimeout(flush, GATHER_MS);
    },
  });
  return () => { clearTimeout(timer); stop(); };
}

function listen(slug: string, listener: Listener): () => void {
  const stream = streams.get(slug) ?? open(slug);
  stream.listeners.add(listener);
  return () => {
    stream.listeners.delete(listener);
    if (stream.listeners.size > 0) return;
    stream.source.close();
    streams.delete(slug);
    judge();
  };
}

function open(slug: string): Stream {
  const stream: Stream = { source: connect(slug), listeners: new Set(), broken: false };
  streams.set(slug, stream);
  attend(slug, stream);
  return stream;
}

function connect(slug: string): EventSource { return new EventSource(at('p', ...slug.split('/'), 'events')); }

function attend(slug: string, stream: Stream): void {
  const { source } = stream;
  for (const kind of KINDS) {
    source.addEventListener(kind, (message) => deliver(stream, kind, (message as MessageEvent<string>).data));
  }
  // We were too slow and missed something.
  source.addEventListener('resync', () => { for (const { tell } of stream.listeners) tell(null); });
  source.onerror = () => {
    stream.broken = true;
    judge();
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (streams.get(slug) !== stream) return;
      stream.source = connect(slug);
      attend(slug, stream);
    }, REOPEN_MS);
  };
  source.onopen = () => {
    if (stream.broken) for (const { tell } of stream.listeners) tell(null);
    stream.broken = false;
    judge();
  };
}

function deliver(stream: Stream, kind: EventKind, data: string): void {
  let event: Event;
  try {
    const { id } = JSON.parse(data) as { id?: unknown };
    event = { kind, id: String(id ?? '') };
  } catch {
    return;
  }
  for (const { kinds, tell } of stream.listeners) if (kinds.includes(kind)) tell(event);
}

function judge(): void {
  state.ok = [...streams.values()].every((stream) => !stream.broken);
}
