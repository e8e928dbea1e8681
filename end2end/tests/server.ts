// A server of one's own for every worker: `import { test, expect } from './server'`.
import { test as base } from '@playwright/test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export { expect } from '@playwright/test';

export interface Server {
  url: string;
  /** Ends as a power cut would. */
  kill(): Promise<void>;
  /** Starts again at the same address with the same data. */
  restart(): Promise<void>;
  /** Ends and leaves nothing behind. */
  stop(): Promise<void>;
}

/** Starts `gapless serve` with further arguments; without a `--config` it runs its demo plant. */
export async function startServer(...more: string[]): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), 'gapless-'));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  let child: ChildProcess;

  const start = async () => {
    child = spawn(executable, ['serve', '--listen', address, '--data-dir', data, ...more], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await answering(url, child);
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const stop = async () => {
    await kill();
    await rm(data, { recursive: true, force: true });
  };

  await start();
  return { url, kill, restart: () => kill().then(start), stop };
}

/** Tests whose `page.goto('/')` meets the worker's own server, or `BASE_URL` where that is set. */
export const test = base.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: process.env.BASE_URL ?? (async ({ server }, use) => use(server.url)),
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port to be had');
  return address.port;
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const end = Date.now() + START_MS;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/livez`).catch(() => undefined);
    if (answer?.ok) return;
    await pause(POLL_MS);
  }
  throw new Error(`no answer from ${url} within ${START_MS} ms`);
}

const executable = process.env.GAPLESS ?? fileURLToPath(new URL('../../target/release/gapless', import.meta.url));
const START_MS = 10_000;
const POLL_MS = 50;
