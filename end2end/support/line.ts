// A line between browser and server that can be cut, fall silent, slow down and tell lies.
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

export interface Line {
  /** The server as seen through this line. */
  url: string;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Keeps every connection and takes new ones, but nothing passes any more. */
  silence(): void;
  /** Lets everything pass late by so many milliseconds, each way. */
  delay(ms: number): void;
  /** Puts what `change` makes of it in the place of whatever the server says. */
  alter(change: Change): void;
  /** Lets everything pass as it is; connections that were silent are broken. */
  mend(): Promise<void>;
  stop(): Promise<void>;
}

export type Change = (bytes: Buffer) => Buffer | undefined;

export async function startLine(target: string): Promise<Line> {
  const wire = new Wire(new URL(target));
  await wire.listen(0);
  return {
    url: `http://127.0.0.1:${wire.port}`,
    cut: () => wire.cut(),
    silence: () => void (wire.isSilent = true),
    delay: (ms) => void (wire.lateMs = ms),
    alter: (change) => void (wire.change = change),
    mend: () => wire.mend(),
    stop: () => wire.cut(),
  };
}

class Wire {
  port = 0;
  isSilent = false;
  lateMs = 0;
  change: Change = asItIs;
  private readonly sockets = new Set<Socket>();
  private server = createServer();

  constructor(private readonly target: URL) {}

  async listen(port: number): Promise<void> {
    this.server = createServer((browser) => this.pass(browser)).listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async cut(): Promise<void> {
    if (!this.server.listening) return;
    this.server.close();
    this.breakAll();
    await once(this.server, 'close');
  }

  async mend(): Promise<void> {
    if (this.isSilent) this.breakAll();
    this.isSilent = false;
    this.lateMs = 0;
    this.change = asItIs;
    if (!this.server.listening) await this.listen(this.port);
  }

  private breakAll(): void {
    this.sockets.forEach((socket) => socket.resetAndDestroy());
  }

  private pass(browser: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    this.lead(browser, server, () => asItIs);
    this.lead(server, browser, () => this.change);
  }

  /** Leads what comes from one to the other; the end of one is the end of both. */
  private lead(from: Socket, to: Socket, change: () => Change): void {
    this.sockets.add(from);
    from.setNoDelay();
    from.on('data', (bytes: Buffer) => {
      if (this.isSilent) return;
      const changed = change()(bytes);
      if (changed === undefined) return;
      if (this.lateMs > 0) setTimeout(() => say(to, changed), this.lateMs);
      else say(to, changed);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      // Nobody hears of an end either.
      if (!this.isSilent) to.destroy();
    });
  }
}

function say(to: Socket, bytes: Buffer): void {
  if (!to.destroyed) to.write(bytes);
}

const asItIs: Change = (bytes) => bytes;
