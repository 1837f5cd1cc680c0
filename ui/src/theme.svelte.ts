// Light or dark: the system's choice unless the viewer made one. The choice stays in this browser only. `theme.js` has put
// the first one on the page before it was painted.
const KEY = 'leyden.theme';
type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
let picked = chosen();
const state = $state<{ theme: Theme }>({ theme: document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light' });

system.addEventListener('change', () => { if (!picked) show(system.matches ? 'dark' : 'light'); });

export const theme = { get now(): Theme { return state.theme; } };

export function toggleTheme(): void {
  show(state.theme === 'dark' ? 'light' : 'dark');
  picked = true;
  try { localStorage.setItem(KEY, state.theme); } catch { /* storage is off: the choice lasts as long as the page */ }
}

function show(theme: Theme): void {
  state.theme = theme;
  document.documentElement.dataset['theme'] = theme;
}

function chosen(): boolean {
  try { return localStorage.getItem(KEY) !== null; } catch { return false; }
}
