const CHECK = `curl -X POST -d '{"operation":"check"}' http://localhost:3000/api/persistence/sync`;

/** What the app serves. */
export default function Page() {
  return (
    <main>
      <h1>izzie-memory with Next.js</h1>
      <dl>
        <dt>
          <a href="/api/persistence/status">GET /api/persistence/status</a>
        </dt>
        <dd>How the stores are, and how far the graph is in step.</dd>
        <dt>
          <a href="/api/persistence/sync">GET /api/persistence/sync</a>
        </dt>
        <dd>How far the graph is in step.</dd>
        <dt>POST /api/persistence/sync</dt>
        <dd>
          Compares the stores and, where asked to, repairs the graph:
          <pre>{CHECK}</pre>
        </dd>
      </dl>
    </main>
  );
}
