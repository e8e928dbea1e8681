// PSCADA, as far as it gives orders: a Modbus master that switches coils.
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, root } from './program';

export interface Pscada {
  /** The sample configuration, with PSCADA as the master of its first board. */
  config: string;
  /** Switches a coil on. */
  switchOn(coil: number): Promise<void>;
  stop(): Promise<void>;
}

export async function preparePscada(): Promise<Pscada> {
  const folder = await mkdtemp(join(tmpdir(), 'pscada-'));
  const port = await freePort();
  const section = `[pscada]\ntransport = "tcp"\nlisten = "127.0.0.1:${port}"\n\n[auth]`;
  const sample = await readFile(root('server/gapless.toml'), 'utf8');
  const config = sample.replace('[auth]', section).replace('# pscada_unit = 94', `pscada_unit = ${UNIT}`);
  const map = await readFile(root('server/pscada.csv'), 'utf8');
  const isOurs = (line: string, index: number) => index === 0 || line.startsWith('board-1,');
  await writeFile(join(folder, 'gapless.toml'), config);
  await writeFile(join(folder, 'points.csv'), await readFile(root('server/points.csv')));
  await writeFile(join(folder, 'pscada.csv'), map.split('\n').filter(isOurs).join('\n'));
  return {
    config: join(folder, 'gapless.toml'),
    switchOn: (coil) => switchOn(port, coil),
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Function 5; a refusal is an error. */
async function switchOn(port: number, coil: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(Uint8Array.from([0, 1, 0, 0, 0, 6, UNIT, 5, coil >> 8, coil & 0xff, 0xff, 0]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  if (answer[7] !== 5) throw new Error(`coil ${coil} was refused: ${answer.toString('hex')}`);
}

/** As PSCADA finds the board. */
const UNIT = 94;
