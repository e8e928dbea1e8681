// S0-91, S0-92: strangers who know only the description of the wire read it, and verify what they read.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from '../tests/server';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const clients = [
  { language: 'JavaScript', command: [process.execPath, here('native.mjs')] },
  { language: 'Python', command: [here('../.venv/bin/python'), here('native.py')] },
];

for (const { language, command } of clients) {
  test(`a client in ${language} follows a board`, async ({ server }) => {
    const [program, ...rest] = command;

    const { stdout } = await promisify(execFile)(program, [...rest, server.url, 'board-1', '3']);

    const kinds = stdout.trim().split('\n').map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(kinds).toContain('1 FULL_SNAPSHOT');
    expect(kinds.at(-1)).toMatch(/^3 /);
  });
}
