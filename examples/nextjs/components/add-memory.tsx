'use client';

import { type FormEvent, useState } from 'react';
import { messageOf, post } from '@/client/api';
import styles from '@/components/add-memory.module.css';
import { Panel, Problem } from '@/components/panel';

/** Stores one memory of the user. */
export function AddMemory({ userId, onStored }: { userId: string; onStored: () => void }) {
  const [told, setTold] = useState<{ done?: string; problem?: string }>({});
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setTold({});
    try {
      await post('/api/memories', { userId, content: new FormData(form).get('content') });
      form.reset();
      setTold({ done: 'Stored.' });
      onStored();
    } catch (error) {
      setTold({ problem: messageOf(error) });
    }
  };
  return (
    <Panel title="New memory">
      <form className={styles.form} onSubmit={submit}>
        <label className="hidden" htmlFor="content">
          Content
        </label>
        <textarea
          id="content"
          name="content"
          rows={2}
          required
          placeholder="Lunch with Grace Hopper in New York"
        />
        <div className={styles.row}>
          <button type="submit">Store</button>
          <span role="status">{told.done}</span>
        </div>
        {told.problem && <Problem>{told.problem}</Problem>}
      </form>
    </Panel>
  );
}
