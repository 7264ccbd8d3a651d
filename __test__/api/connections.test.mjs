// The forms in which the address of a store may be given, on servers with TLS.
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Guard } from '../../scripts/servers/guard.mjs';
import { Neo4j } from '../../scripts/servers/neo4j.mjs';
import { START_LIMIT_MS, startPgBouncer } from '../../scripts/servers/pgbouncer.mjs';
import { lacks } from '../../scripts/test/needs.mjs';
import { makeAuthority } from '../support/certificates.mjs';
import { rejection, useDatabase } from './support.mjs';

const PATIENCE_MS = 120_000;

const describeWith = (...needs) => describe.skipIf(needs.some((name) => lacks(name, import.meta.url)));

describeWith('openssl')('connections', () => {
  const database = useDatabase();
  let authority;
  let stranger;
  beforeAll(async () => {
    [authority, stranger] = await Promise.all([makeAuthority(), makeAuthority()]);
  });
  afterAll(() => {
    authority.remove();
    stranger.remove();
  });
  afterEach(() => vi.unstubAllEnvs());

  const password = () => new URL(database.url).password;

  describeWith('pgbouncer')('to Postgres', () => {
    let bouncer;
    beforeAll(async () => {
      const tls = await authority.issue('DNS:localhost');
      bouncer = await startPgBouncer({ databaseUrl: database.url, maxPreparedStatements: 200, tls });
    }, START_LIMIT_MS);
    afterAll(() => bouncer.stop());

    /** By way of the server with TLS, with these parameters. */
    function address(parameters, { host = 'localhost', base = bouncer.url } = {}) {
      const url = new URL(base);
      url.hostname = host;
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.href;
    }

    async function ask(databaseUrl) {
      const layer = database.layer({ databaseUrl, graphStore: 'none' });
      try {
        return await layer.memory.getAll('ada');
      } finally {
        await layer.close();
      }
    }

    const full = { sslmode: 'verify-full' };
    const forms = {
      'as it is': () => address({}),
      'as Neon gives it': () => address({ sslmode: 'require', channel_binding: 'require' }),
      'with parameters that nobody knows': () => address({ pgbouncer: 'true', connection_limit: '1' }),
      'verify-full with sslrootcert': () => address({ ...full, sslrootcert: authority.file }),
      'verify-ca, of another host': () =>
        address({ sslmode: 'verify-ca', sslrootcert: authority.file }, { host: '127.0.0.1' }),
      'a Unix socket': () => address({ host: bouncer.socketDir }),
      'without TLS': () => address({ sslmode: 'disable' }, { base: database.url }),
    };
    test.each(Object.entries(forms))('%s', async (_name, form) => expect(await ask(form())).toEqual([]));

    test('verify-full with an authority that the system trusts', async () => {
      vi.stubEnv('SSL_CERT_FILE', authority.file);
      expect(await ask(address(full))).toEqual([]);
    });

    const failures = {
      'an authority that is not trusted': [() => address(full), /TLS handshake.*certificate/],
      'the authority of somebody else': [
        () => address({ ...full, sslrootcert: stranger.file }),
        /TLS handshake.*certificate/,
      ],
      'a certificate for another host': [
        () => address({ ...full, sslrootcert: authority.file }, { host: '127.0.0.1' }),
        /TLS handshake.*certificate/,
      ],
      'a server without TLS': [
        () => address({ sslmode: 'require' }, { base: database.url, host: '127.0.0.1' }),
        /TLS/,
      ],
      'a file that is not there': [
        () => address({ ...full, sslrootcert: '/nowhere/ca.pem' }),
        /sslrootcert|TLS/,
      ],
      'no TLS where it is required': [() => address({ sslmode: 'disable' }), /./],
    };
    test.each(Object.entries(failures))('%s is told', async (_name, [form, message]) => {
      const error = await rejection(ask(form()));
      expect([error.reason, error.code]).toEqual(['UNAVAILABLE', 'VECTOR_STORE_ERROR']);
      expect(error.message).toMatch(message);
      expect(JSON.stringify([error, error.message, error.stack])).not.toContain(password());
    });
  });

  describeWith('own neo4j')('to Neo4j', () => {
    let guard;
    let server;
    beforeAll(async () => {
      const tls = await authority.issue('DNS:localhost,IP:127.0.0.1');
      const runDir = mkdtempSync(join(tmpdir(), 'izzie-memory-neo4j-tls-'));
      chmodSync(runDir, 0o711);
      guard = new Guard(runDir);
      const neo4j = new Neo4j(join(runDir, 'neo4j'), { tls });
      await neo4j.start();
      server = neo4j.environment;
    }, START_LIMIT_MS);
    afterAll(() => guard.close());

    /** Asks the graph at this address. */
    async function ask(scheme) {
      const neo4j = {
        uri: server.TEST_NEO4J_URI.replace('bolt', scheme),
        user: server.TEST_NEO4J_USER,
        password: server.TEST_NEO4J_PASSWORD,
      };
      const layer = database.layer({ graphStore: 'neo4j', neo4j });
      try {
        return await layer.graph.getTopEntities('ada');
      } finally {
        await layer.close();
      }
    }

    /** A Neo4j that has just started takes its time to plan. */
    const answered = (scheme) => vi.waitFor(() => ask(scheme), { timeout: PATIENCE_MS, interval: 500 });

    test.each(['bolt', 'neo4j', 'bolt+s', 'neo4j+s'])(
      '%s',
      async (scheme) => {
        vi.stubEnv('SSL_CERT_FILE', authority.file);
        expect(await answered(scheme)).toEqual([]);
      },
      2 * PATIENCE_MS,
    );

    test.each(['bolt+ssc', 'neo4j+ssc'])('%s takes any certificate', async (scheme) => {
      vi.stubEnv('SSL_CERT_FILE', stranger.file);
      expect(await ask(scheme)).toEqual([]);
    });

    test.each(['bolt+s', 'neo4j+s'])('%s takes none of a stranger', async (scheme) => {
      vi.stubEnv('SSL_CERT_FILE', stranger.file);
      const error = await rejection(ask(scheme));
      expect([error.reason, error.code]).toEqual(['UNAVAILABLE', 'GRAPH_STORE_ERROR']);
      expect(error.message).toMatch(/certificate/i);
      expect(JSON.stringify([error, error.stack])).not.toContain(server.TEST_NEO4J_PASSWORD);
    });
  });
});
