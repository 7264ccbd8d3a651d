// Child processes and the process table, for the scripts of this folder.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs a command to its end and returns its exit code; its output goes to ours. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(exitCode(code, signal)));
  });
}

/** Runs a command and returns its standard output; rejects, with everything it said, when it fails. */
export async function capture(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(exitCode(status, signal)));
  });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (${code}):\n${stdout}${stderr}`);
  return stdout;
}

/** The shell's rule: a process ended by signal n counts as 128 + n. */
export function exitCode(code, signal) {
  return code ?? 128 + constants.signals[signal];
}

/** Does this process run? One that has ended but was not yet collected by its parent does not. */
export function isAlive(pid) {
  return isTaken(pid) && !isZombie(pid);
}

/** Is this process id in use, be it only by a process that was not yet collected? */
export function isTaken(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function isZombie(pid) {
  if (process.platform !== 'linux') return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true; // gone between the two looks
  }
}

/** Sends a signal; a process (or group: negative id) that is already gone is fine. */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Waits until the condition holds; returns whether it did within the time. */
export async function waitUntil(condition, timeoutMs, stepMs = 50) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= deadline) return false;
    await sleep(stepMs);
  }
}

/** Every process of the machine: `{pid, ppid, command}`. */
export async function processTable() {
  return process.platform === 'linux' ? linuxProcesses() : psProcesses();
}

function linuxProcesses() {
  return linuxPids().flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const ppid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
      return [{ pid, ppid, command }];
    } catch {
      return []; // ended while we looked
    }
  });
}

async function psProcesses() {
  const lines = (await capture('ps', ['-Aww', '-o', 'pid=,ppid=,command='])).split('\n');
  return lines.flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), ppid: Number(match[2]), command: match[3] }] : [];
  });
}

function linuxPids() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The processes below this one. */
export async function descendants(root) {
  const table = await processTable();
  const found = new Set([root]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const { pid, ppid } of table) if (found.has(ppid)) found.add(pid);
  }
  found.delete(root);
  return [...found];
}

/** The variable that marks every process of one test step, so that none of them outlives it unseen. */
export const STEP_MARK = 'IZZIE_MEMORY_TEST_STEP';

/** Live processes whose environment holds `NAME=value`. Linux only: elsewhere nobody can tell, and the list is empty. */
export function processesWithEnvironment(assignment) {
  if (process.platform !== 'linux') return [];
  return linuxPids().flatMap((pid) => {
    if (pid === process.pid || isZombie(pid)) return [];
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(assignment)) return [];
      return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim() }];
    } catch {
      return []; // ended while we looked, or another user's
    }
  });
}
