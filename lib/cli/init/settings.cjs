'use strict';

const { randomBytes } = require('node:crypto');

const NEXT_CONFIG = `import type { NextConfig } from 'next';

const config: NextConfig = {
  // It has a native addon, which no bundler can take in.
  serverExternalPackages: ['izzie-memory'],
};

export default config;
`;

/** Next.js keeps this file out of git. The secrets are drawn here, so that no two apps share them. */
function environmentFile() {
  return `# Who may call /api/persistence/*: "Authorization: Bearer <token>".
PERSISTENCE_TOKEN=${secret()}
# Who may call /api/cron/drain, which pays what is owed; Vercel sends it to its cron jobs.
CRON_SECRET=${secret()}

# Postgres with pgvector. Without it, outside production, the memories are kept in .izzie-memory.
# DATABASE_URL=postgres://user:password@host:5432/database
# The same database without its pooler, for migrations.
# DATABASE_DIRECT_URL=

# The graph. Without it, it is kept in Postgres.
# NEO4J_URI=neo4j+s://host
# NEO4J_USER=neo4j
# NEO4J_PASSWORD=
`;
}

const secret = () => randomBytes(24).toString('base64url');

module.exports = { NEXT_CONFIG, environmentFile };
