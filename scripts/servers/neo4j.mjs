// A real Neo4j Community 5.26, out of the jars on Maven Central.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { capture, isAlive, waitUntil } from '../lib/process.mjs';
import { install, requireTool } from './install.mjs';
import { DOCKER_ADVICE, Server } from './server.mjs';

const VERSION = '5.26.30';
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
/** Debian's, where Java or Maven is missing. */
export const PACKAGES = ['default-jre-headless', 'maven'];
export const ADVICE = `A test Neo4j needs Java 17 or newer and Maven (java, mvn): install them, or set TEST_NEO4J_URI, TEST_NEO4J_USER and TEST_NEO4J_PASSWORD to a Neo4j 5, ${DOCKER_ADVICE}.`;

/** The options of Neo4j's own launcher that concern correctness, and a small heap. */
const JVM = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseG1GC',
  '-XX:-OmitStackTraceInFastThrow',
  '-XX:+DisableExplicitGC',
  '-Djdk.nio.maxCachedBufferSize=1024',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dlog4j2.disable.jmx=true',
  '-Dfile.encoding=UTF-8',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '--add-opens=java.base/java.io=ALL-UNNAMED',
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
];

export class Neo4j extends Server {
  /** With `tls`, PEM texts, Bolt is spoken both with and without TLS. @param {{ tls?: { key: string, cert: string } }} [options] */
  constructor(runDir, { tls } = {}) {
    super(runDir);
    this.tls = tls;
    this.conf = join(this.runDir, 'conf');
    this.log = join(this.runDir, 'console.log');
    this.pidFile = join(this.runDir, 'neo4j.pid');
  }

  /** What points the tests at this server. */
  get environment() {
    const { port, password } = this.state;
    return {
      TEST_NEO4J_URI: `bolt://127.0.0.1:${port}`,
      TEST_NEO4J_USER: 'neo4j',
      TEST_NEO4J_PASSWORD: password,
    };
  }

  async resolve() {
    await requireJava();
    const folder = await install(`neo4j-${VERSION}`, async (staging) => {
      await requireTool('mvn', ['--version'], ADVICE);
      writeFileSync(join(staging, 'pom.xml'), pom());
      const repository = join(staging, 'repository'); // its own: Maven's is not safe against two writers
      const options = [
        `-Dmaven.repo.local=${repository}`,
        `-DoutputDirectory=${join(staging, 'lib')}`,
        '-DincludeScope=runtime',
      ];
      await capture('mvn', ['-B', '-q', '-f', join(staging, 'pom.xml'), PLUGIN, ...options]);
      rmSync(repository, { recursive: true, force: true });
    });
    this.classPath = join(folder, 'lib', '*');
  }

  async initialize({ port, password }) {
    for (const folder of ['conf', 'data', 'import', 'logs', 'plugins', 'run'])
      mkdirSync(join(this.runDir, folder));
    writeFileSync(join(this.conf, 'neo4j.conf'), configuration(port) + this.encryption());
    const command = ['dbms', 'set-initial-password', password];
    await capture(
      'java',
      ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', this.classPath, 'org.neo4j.cli.AdminTool', ...command],
      {
        cwd: this.runDir,
        env: { ...process.env, NEO4J_HOME: this.runDir, NEO4J_CONF: this.conf },
      },
    );
  }

  encryption() {
    if (!this.tls) return 'server.bolt.tls_level=DISABLED\n';
    writeFileSync(join(this.conf, 'bolt.key'), this.tls.key, { mode: 0o600 });
    writeFileSync(join(this.conf, 'bolt.crt'), this.tls.cert);
    return `server.bolt.tls_level=OPTIONAL
dbms.ssl.policy.bolt.enabled=true
dbms.ssl.policy.bolt.base_directory=${this.conf}
dbms.ssl.policy.bolt.private_key=bolt.key
dbms.ssl.policy.bolt.public_certificate=bolt.crt
dbms.ssl.policy.bolt.client_auth=NONE
`;
  }

  async launch() {
    const folders = [`--home-dir=${this.runDir}`, `--config-dir=${this.conf}`];
    const output = openSync(this.log, 'a');
    const child = spawn(
      'java',
      [...JVM, '-cp', this.classPath, 'org.neo4j.server.CommunityEntryPoint', ...folders],
      {
        cwd: this.runDir,
        detached: true,
        stdio: ['ignore', output, output],
      },
    );
    closeSync(output);
    writeFileSync(this.pidFile, String(child.pid));
    child.unref();
    const { port } = this.state;
    let ready = false;
    await waitUntil(
      async () => {
        ready = await answersBolt(port);
        return ready || !isAlive(child.pid);
      },
      300_000,
      200,
    );
    if (!ready) throw new Error(`Neo4j did not start:\n${readFileSync(this.log, 'utf8').slice(-3000)}`);
  }

  recordedPid() {
    return existsSync(this.pidFile) ? Number(readFileSync(this.pidFile, 'utf8')) : undefined;
  }

  stop() {
    return this.end('SIGTERM', 30_000);
  }

  discard() {
    return this.end('SIGKILL', 10_000);
  }
}

function pom() {
  const dependency = (group, artifact) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${VERSION}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>neo4j-test-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${dependency('org.neo4j', 'neo4j')}
    ${dependency('org.neo4j.app', 'neo4j-server')}
  </dependencies>
</project>
`;
}

function configuration(port) {
  return `server.default_listen_address=127.0.0.1
server.bolt.enabled=true
server.bolt.listen_address=127.0.0.1:${port}
server.bolt.advertised_address=127.0.0.1:${port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.pagecache.size=128m
db.tx_log.rotation.size=16m
db.tx_log.rotation.retention_policy=1 files
db.tx_log.preallocate=false
`;
}

async function requireJava() {
  const version = await requireTool('java', ['--version'], ADVICE);
  if (Number(/^\S+ (\d+)/.exec(version)?.[1]) < 17) throw new Error(ADVICE);
}

/** A Bolt handshake: true when the server picks one of the versions offered. */
function answersBolt(port) {
  const magic = Buffer.from('6060b017', 'hex');
  const versions = Buffer.from('00080805000204040000000000000000', 'hex');
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([magic, versions])));
    const finish = (answer) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(2000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('data', (data) => finish(data.length >= 4 && data.readUInt32BE(0) !== 0));
  });
}
