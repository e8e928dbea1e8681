// `gapless serve`, each with a port and a data directory of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { end, executable, freePort, quiet } from './program';

export interface Server {
  url: string;
  /** Ends as a power cut would. */
  kill(): Promise<void>;
  /** Starts again at the same address with the same data. */
  restart(): Promise<void>;
  /** Ends and leaves nothing behind. */
  stop(): Promise<void>;
}

export interface Setup {
  args?: string[];
  env?: Record<string, string>;
  /** Its data directory; else one of its own. */
  data?: string;
  /** Whether everybody has to sign in. */
  login?: boolean;
}

/** Starts a server; without a `--config` it runs its demonstration. */
export async function startServer({
  args = [],
  env = {},
  data: given,
  login = false,
}: Setup = {}): Promise<Server> {
  const data = given ?? (await mkdtemp(join(tmpdir(), 'gapless-')));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  let child: ChildProcess;

  const start = async () => {
    child = spawn(executable, ['serve', '--listen', address, '--data-dir', data, ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...quiet, GAPLESS__AUTH__ENABLED: String(login), GAPLESS__LOG__DIRECTORY: '', ...env },
    });
    await ready(url, child);
  };
  const kill = () => end(child);
  const stop = async () => {
    await kill();
    await rm(data, { recursive: true, force: true });
  };

  await start();
  return { url, kill, restart: () => kill().then(start), stop };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const limit = Date.now() + START_MS;
  while (Date.now() < limit) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await pause(POLL_MS);
  }
  throw new Error(`${url} is not ready within ${START_MS} ms`);
}

const START_MS = 10_000;
const POLL_MS = 50;
