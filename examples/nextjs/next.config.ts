import type { NextConfig } from 'next';

const config: NextConfig = {
  // It has a native addon, which no bundler can take in.
  serverExternalPackages: ['izzie-memory'],
  // This folder has a lock file of its own: without the hint Next.js takes the outermost one's folder for the root.
  turbopack: { root: __dirname },
};

export default config;
