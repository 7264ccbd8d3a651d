import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './globals.css';
import { APPLY_THEME } from '@/client/theme-script';

export const metadata: Metadata = {
  title: 'izzie-memory',
  description: 'The state of the memory layer: health, synchronisation, queue, search and the graph',
};

export const viewport: Viewport = { colorScheme: 'light dark' };

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* Before anything is painted: a page in the wrong theme would flash. */}
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: it is a constant of ours. */}
        <script dangerouslySetInnerHTML={{ __html: APPLY_THEME }} />
      </head>
      <body>{children}</body>
    </html>
  );
}
