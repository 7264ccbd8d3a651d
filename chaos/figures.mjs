// What a run did, in numbers, and whether it passed.

/** Faults shown in full; the number of all is in the figures. */
const SHOWN = 20;

/**
 * @param {{ options: object, calls: object[], kills: Record<string, number>, faults: string[],
 *   convergence: object, problems: object[], rows: object[] }} run
 */
export function figuresOf({ options, calls, kills, faults, convergence, problems, rows }) {
  const outcomes = calls.flatMap(({ end }) => end?.outcomes ?? []);
  const count = (kind) => outcomes.filter(({ applied }) => applied === kind).length;
  const ofKind = (...kinds) => problems.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    seed: options.seed,
    graph: options.graph,
    seconds: options.seconds,
    processes: options.processes,
    calls: calls.length,
    writes: calls.reduce((sum, { begin }) => sum + begin.targets.length, 0),
    acknowledged: count('yes') + count('saw'),
    refused: count('no'),
    unknown: count('unknown'),
    cutOff: calls.filter(({ end }) => !end).length,
    repeated: calls.filter(({ begin }) => begin.repeats).length,
    kills,
    memories: rows.length,
    convergeSeconds: Number(convergence.seconds.toFixed(1)),
    pending: convergence.pending,
    dead: convergence.dead,
    verdict: convergence.state,
    differences: convergence.differences,
    lost: ofKind('lost', 'resurrected'),
    divergent: ofKind('divergent', 'frequency'),
    doubled: ofKind('doubled'),
    misplaced: ofKind('misplaced'),
    invented: ofKind('invented'),
    faults: faults.length,
  };
}

/** What an error said that no caller should meet. */
export function unexpectedErrors(calls) {
  const errors = calls.flatMap(({ begin, end }) => {
    const found = end && [end.error, ...end.outcomes].find((outcome) => outcome?.unexpected);
    return found ? [`${begin.kind}: ${found.unexpected}`] : [];
  });
  return [...new Set(errors)];
}

export function passed({
  pending,
  dead,
  verdict,
  lost,
  divergent,
  doubled,
  misplaced,
  faults,
  acknowledged,
}) {
  const bad = lost + divergent + doubled + misplaced + faults;
  return bad === 0 && pending === 0 && dead === 0 && verdict === 'consistent' && acknowledged > 0;
}

export function print(figures, problems, faults) {
  for (const [name, value] of Object.entries(figures))
    console.log(`${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  const lines = [...faults, ...problems.map(({ kind, id, details }) => `${kind} ${id}: ${details}`)];
  for (const line of lines.slice(0, SHOWN)) console.log(`  ${line}`);
  if (lines.length > SHOWN) console.log(`  … ${lines.length - SHOWN} more`);
}
