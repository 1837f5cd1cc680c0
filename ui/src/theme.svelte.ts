// Light or dark: the system's choice unless the viewer made one. The choice stays in this browser only.
const KEY = 'leyden.theme';
type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
const state = $state<{ theme: Theme }>({ theme: chosen() ?? (system.matches ? 'dark' : 'light') });

system.addEventListener('change', () => { if (!chosen()) state.theme = system.matches ? 'dark' : 'light'; });

export const theme = { get now(): Theme { return state.theme; } };

export function toggleTheme(): void {
  state.theme = state.theme === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = state.theme;
  try { localStorage.setItem(KEY, state.theme); } catch { /* storage is off: the choice lasts as long as the page */ }
}

function chosen(): Theme | null {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : null;
}
