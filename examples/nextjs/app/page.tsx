import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { connection } from 'next/server';
import { Suspense } from 'react';
import { Dashboard } from '@/components/dashboard';
import { isOpen, isSession, SESSION_COOKIE } from '@/lib/server/access';

const USER = 'demo';

interface Props {
  searchParams: Promise<{ user?: string | string[] }>;
}

export default function Page({ searchParams }: Props) {
  return (
    <Suspense fallback={<p className="waiting">Loading…</p>}>
      <Guarded searchParams={searchParams} />
    </Suspense>
  );
}

async function Guarded({ searchParams }: Props) {
  await connection();
  const session = (await cookies()).get(SESSION_COOKIE)?.value;
  if (!isOpen() && !isSession(session)) redirect('/login');
  const { user = USER } = await searchParams;
  return <Dashboard firstUser={String(user)} canLogOut={!isOpen()} />;
}
