'use client';

import type { FormEvent } from 'react';
import styles from '@/components/user-form.module.css';

interface Props {
  userId: string;
  onChange: (userId: string) => void;
}

/** Whose memories are shown; kept in the address, so that it can be shared and survives a reload. */
export function UserForm({ userId, onChange }: Props) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const next = new FormData(event.currentTarget).get('user')?.toString().trim();
    if (!next) return;
    history.replaceState(null, '', `?user=${encodeURIComponent(next)}`);
    onChange(next);
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <label htmlFor="user">User</label>
      <input id="user" name="user" defaultValue={userId} autoComplete="off" spellCheck={false} required />
      <button type="submit">Show</button>
    </form>
  );
}
