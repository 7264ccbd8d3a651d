'use client';

import { useSyncExternalStore } from 'react';
import { THEME_KEY } from '@/client/theme-script';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const CHANGED = 'izzie-memory-theme-changed';
const systemIsDark = () => matchMedia('(prefers-color-scheme: dark)');

function currentTheme(): Theme {
  return (document.documentElement.dataset.theme as Theme | undefined) ?? 'system';
}

function isDark(): boolean {
  const theme = currentTheme();
  return theme === 'system' ? systemIsDark().matches : theme === 'dark';
}

function subscribe(listener: () => void): () => void {
  const system = systemIsDark();
  addEventListener(CHANGED, listener);
  system.addEventListener('change', listener);
  return () => {
    removeEventListener(CHANGED, listener);
    system.removeEventListener('change', listener);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme, () => 'system');
}

/** For what is drawn by code: everything else goes by CSS. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, isDark, () => false);
}

export function setTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
  try {
    if (theme === 'system') localStorage.removeItem(THEME_KEY);
    else localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Storage is forbidden: the choice lasts as long as the page.
  }
  dispatchEvent(new Event(CHANGED));
}
