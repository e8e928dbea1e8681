// The one file under test, as a process.
import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A file of the project. */
export const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const executable = process.env.GAPLESS ?? root('target/release/gapless');

/** Its log stays quiet unless someone asks for it. */
export const quiet = { GAPLESS_LOG: 'warn', ...process.env };

/** Ends a process as a power cut would, unless it has ended by itself. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port to be had');
  return address.port;
}
