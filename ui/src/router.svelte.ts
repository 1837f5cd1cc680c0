// The address bar as state. Paths belong to the history API; the server answers index.html for every path that is not
// under /api. Moving focus to the new page's heading tells keyboard and screen-reader users that something changed.
import { tick } from 'svelte';

const spot = $state({ path: location.pathname, query: location.search });

export const route = {
  get path(): string { return spot.path; },
  get parts(): string[] { return spot.path.split('/').filter(Boolean).map(decode); },
  get query(): URLSearchParams { return new URLSearchParams(spot.query); },
};

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const before = spot.path;
  if (how === 'push') history.pushState(null, '', to);
  else history.replaceState(null, '', to);
  read();
  if (spot.path !== before) void arrive();
}

export function path(...parts: (string | number)[]): string {
  return '/' + parts.map((part) => encodeURIComponent(part)).join('/');
}

/** Follows ordinary links of our own origin without a reload; everything else stays the browser's business. */
export function followLinks(): void {
  addEventListener('popstate', () => { read(); void arrive(); });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null;
    if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
    if (link.pathname.startsWith('/api/') || (link.hash && link.pathname === location.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

function read(): void {
  spot.path = location.pathname;
  spot.query = location.search;
}

async function arrive(): Promise<void> {
  await tick();
  const main = document.querySelector<HTMLElement>('main');
  scrollTo(0, 0);
  main?.scrollTo(0, 0);
  main?.focus({ preventScroll: true });
}

function decode(part: string): string {
  try { return decodeURIComponent(part); } catch { return part; }
}
