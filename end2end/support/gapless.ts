// What tests ask for: `import { expect, test } from '../support/gapless'`.
import { test as base } from '@playwright/test';

import { type Boards, startBoards } from './boards';
import { type Line, startLine } from './line';
import { root } from './program';
import { type Server, type Setup, startServer } from './server';

export { expect } from '@playwright/test';

/** A server that reads boards whose faults are ours to switch. */
export interface Plant {
  url: string;
  boards: Boards;
}

interface Shared {
  /** The demonstration; `page.goto('/')` leads there, or to `BASE_URL` where that is set. */
  server: Server;
  /** The sample configuration, and boards of our own. */
  plant: Plant;
}

interface Each {
  /** A line to the demonstration. */
  line: Line;
}

export const test = base.extend<Each, Shared>({
  server: [
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  plant: [
    async ({}, use) => {
      const boards = await startBoards(4);
      const server = await startServer(pointedAt(boards));
      await use({ url: server.url, boards });
      await server.stop();
      await boards.stop();
    },
    { scope: 'worker' },
  ],
  line: async ({ server }, use) => {
    const line = await startLine(server.url);
    await use(line);
    await line.stop();
  },
  baseURL: process.env.BASE_URL ?? (async ({ server }, use) => use(server.url)),
});

/** The sample, its channels led to these boards. */
function pointedAt(boards: Boards): Setup {
  const port = (port: number, index: number) => [`GAPLESS__CHANNEL__${index + 1}__PORT`, `${port}`];
  const env = Object.fromEntries(boards.ports.map(port));
  return { args: ['--config', root('server/gapless.toml')], env };
}
