// Simulated boards whose faults can be switched while they run.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { end, executable, quiet } from './program';

export interface Boards {
  /** Where each of them listens; `board-1` is the first. */
  ports: number[];
  /** Gives a board a fault, such as `hang`; `none` heals it. */
  fault(board: string, fault: string): void;
  /** Heals all of them. */
  heal(): void;
  stop(): Promise<void>;
}

/** Starts `gapless simulate` with boards at free ports. */
export async function startBoards(count: number): Promise<Boards> {
  const args = ['simulate', '--listen', '127.0.0.1:0', '--boards', `${count}`];
  const child = spawn(executable, args, { stdio: ['pipe', 'pipe', 'inherit'], env: quiet });
  const ports: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    ports.push(portOf(line));
    if (ports.length === count) break;
  }
  if (ports.length < count) throw new Error(`only ${ports.length} of ${count} boards listen`);

  const fault = (board: string, fault: string) => void child.stdin.write(`${board}=${fault}\n`);
  const heal = () => ports.forEach((_, index) => fault(`board-${index + 1}`, 'none'));
  return { ports, fault, heal, stop: () => end(child) };
}

/** `board-1 127.0.0.1:5021 unit 16` */
function portOf(line: string): number {
  const [, port] = line.match(/^board-\d+ \S+:(\d+) unit \d+$/) ?? [];
  if (port === undefined) throw new Error(`no address in ${line}`);
  return Number(port);
}
