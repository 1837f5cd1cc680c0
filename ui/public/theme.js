// Runs before the first paint, so that no page flashes: the theme that was chosen, else the system's. A file of its own:
// the policy allows no inline script.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem('leyden.theme');
  } catch (_) {
    // Storage may be switched off; the system's scheme is used then.
  }
  if (theme !== 'light' && theme !== 'dark') theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = theme;
})();
