export const THEME_KEY = 'izzie-memory-theme';

/** Runs in the head of the page, before React is there. Storage may be forbidden: then the system decides. */
export const APPLY_THEME = `
try {
  const theme = localStorage.getItem('${THEME_KEY}');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {}
`;
