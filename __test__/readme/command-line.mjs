import { createRequire } from 'node:module';

const { createProgram } = createRequire(import.meta.url)('../../lib/cli/program.cjs');

/** The program, whose commands do nothing. */
function idleProgram() {
  const program = createProgram(new AbortController().signal, { code: 0 });
  const commands = [program];
  for (const command of commands) {
    commands.push(...command.commands);
    if (command.commands.length === 0) command.action(() => {});
  }
  return program;
}

/** Rejects unless the command line takes these arguments. */
export async function understand(args) {
  await idleProgram().parseAsync(args, { from: 'user' });
}

/** How each command is called: `sync [operation]`. */
export function synopses() {
  return idleProgram().commands.map((command) => {
    const usage = command.usage().replace('[options]', '').replace('[command]', '').trim();
    return `${command.name()} ${usage}`.trim();
  });
}
