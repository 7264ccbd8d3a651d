'use client';

import { useActionState } from 'react';
import { logIn } from '@/app/login/actions';
import styles from '@/components/login-form.module.css';
import { Problem } from '@/components/panel';

export function LoginForm() {
  const [problem, submit, isPending] = useActionState(logIn, null);
  return (
    <main className={styles.page}>
      <form action={submit} className={styles.form}>
        <h1>izzie-memory</h1>
        <label htmlFor="token">Token</label>
        <input id="token" name="token" type="password" required autoComplete="current-password" />
        {problem && <Problem>{problem}</Problem>}
        <button type="submit" className="primary" disabled={isPending}>
          Log in
        </button>
        <p>
          The server has it in <code>PERSISTENCE_TOKEN</code>.
        </p>
      </form>
    </main>
  );
}
