// Chromium without the runner's hand on its tabs: the runner has every page believe it is in front.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

import { end } from './program';

export interface Tab {
  /** The value of an expression in the page. */
  read<T>(expression: string): Promise<T>;
  /** Brings the tab before all others. */
  show(): Promise<void>;
}

export interface Tabs {
  open(url: string): Promise<Tab>;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<Tabs> {
  const profile = await mkdtemp(join(tmpdir(), 'tabs-'));
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const child = spawn('/usr/bin/chromium', [...args, ...quiet, '--remote-debugging-port=0', `--user-data-dir=${profile}`]);
  const socket = new WebSocket(await address(child));
  await once(socket, 'open');
  const line = new Line(socket);
  return {
    open: async (url) => {
      const { targetId } = await line.call('Target.createTarget', { url: 'about:blank' });
      const { sessionId } = await line.call('Target.attachToTarget', { targetId, flatten: true });
      await line.call('Page.enable', {}, sessionId);
      // A page that is still on its way has nothing to read from: what was asked of the one before
      // it is answered with an error.
      const loaded = line.heard('Page.loadEventFired', sessionId);
      await line.call('Page.navigate', { url }, sessionId);
      await loaded;
      return {
        read: async (expression) => {
          const how = { expression, returnByValue: true, awaitPromise: true };
          const { result } = await line.call('Runtime.evaluate', how, sessionId);
          return result.value;
        },
        show: () => line.call('Target.activateTarget', { targetId }),
      };
    },
    close: async () => {
      socket.close();
      await end(child);
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** The browser says where it listens. */
async function address(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stderr! })) {
    const [, url] = line.match(/^DevTools listening on (ws:\S+)$/) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error('the browser does not listen');
}

/** Questions to the browser, its answers, and what it tells unasked. */
class Line {
  private count = 0;
  private readonly open = new Map<number, (answer: any) => void>();

  constructor(private readonly socket: WebSocket) {
    socket.on('message', (text) => {
      const answer = JSON.parse(text.toString());
      this.open.get(answer.id)?.(answer);
      this.open.delete(answer.id);
    });
  }

  async call(method: string, params: object, sessionId?: string): Promise<any> {
    const id = ++this.count;
    const answered = new Promise<any>((resolve) => this.open.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { error, result } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Until the browser tells this of a tab. */
  heard(method: string, sessionId: string): Promise<void> {
    return new Promise((resolve) => {
      const listen = (text: WebSocket.RawData) => {
        const news = JSON.parse(text.toString());
        if (news.method !== method || news.sessionId !== sessionId) return;
        this.socket.off('message', listen);
        resolve();
      };
      this.socket.on('message', listen);
    });
  }
}
