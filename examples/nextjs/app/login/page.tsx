import type { Metadata } from 'next';
import { LoginForm } from '@/components/login-form';

export const metadata: Metadata = { title: 'Log in · izzie-memory' };

export default function Page() {
  return <LoginForm />;
}
