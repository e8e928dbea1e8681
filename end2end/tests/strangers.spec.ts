// S0-55, S0-91, S0-92: strangers who know only the description of the wire read it, and verify what they read.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { expect, test } from '../support/gapless';
import { root } from '../support/program';

const clients = [
  { language: 'JavaScript', program: process.execPath, file: 'end2end/clients/native.mjs' },
  { language: 'Python', program: root('end2end/.venv/bin/python'), file: 'end2end/clients/native.py' },
];

for (const { language, program, file } of clients) {
  test(`a client in ${language} follows a board @once`, async ({ server }) => {
    // Whatever it cannot verify ends it with an error.
    const { stdout } = await promisify(execFile)(program, [root(file), server.url, 'board-1', '5'], {
      env: { ...process.env, FORCE_COLOR: '0' },
    });

    const lines = stdout.trim().split('\n').map((line) => line.split(' '));
    const numbered = lines.filter(([number]) => number !== '-');
    expect(numbered.map(([number]) => number)).toEqual(['1', '2', '3', '4', '5']);
    expect(numbered[0][1]).toBe('FULL_SNAPSHOT');
  });

  test(`the description of the wire names the client in ${language} @once`, async () => {
    expect(await readFile(root('app/protocol/README.md'), 'utf8')).toContain(file);
  });
}
