'use client';

import { setTheme, THEMES, useTheme } from '@/client/theme';
import styles from '@/components/theme-toggle.module.css';

const LABELS = { system: 'System', light: 'Light', dark: 'Dark' };

export function ThemeToggle() {
  const theme = useTheme();
  return (
    <fieldset className={styles.toggle}>
      <legend className="hidden">Theme</legend>
      {THEMES.map((choice) => (
        <label key={choice}>
          <input
            type="radio"
            name="theme"
            checked={choice === theme}
            onChange={() => setTheme(choice)}
            className="hidden"
          />
          <span>{LABELS[choice]}</span>
        </label>
      ))}
    </fieldset>
  );
}
