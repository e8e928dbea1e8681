// S0-96: a first visit is small, and the oldest browsers can read what they load.
import { type Request } from '@playwright/test';

import { expect, test } from '../support/gapless';
import { visit } from '../support/page';

test('a first visit fits into 420 KB @once', async ({ page }) => {
  const loads: Promise<[path: string, bytes: number]>[] = [];
  page.on('requestfinished', (request) => loads.push(onTheWire(request)));

  await visit(page, '/devices/board-1');

  const loaded = new Map(await Promise.all(loads));
  for (const [path, bytes] of loaded) console.log(`${String(bytes).padStart(8)}  ${path}`);
  const total = [...loaded.values()].reduce((sum, bytes) => sum + bytes, 0);
  console.log(`first load: ${(total / 1024).toFixed(1)} of ${LIMIT_KB} KB`);
  expect([...loaded.keys()]).toEqual(expect.arrayContaining(NEEDED));
  expect(total).toBeLessThanOrEqual(LIMIT_KB * 1024);
});

test('whatever can be compressed is compressed @once', async ({ request }) => {
  for (const path of ['/', ...NEEDED]) {
    const response = await request.get(path, { headers: { accept: 'text/html, */*', 'accept-encoding': 'br' } });
    expect(response.headers()['content-encoding'], path).toBe('br');
  }
});

test('nothing in the glue is younger than Chrome 90 @once', async ({ request }) => {
  expect(await (await request.get('/pkg/gapless.js')).text()).not.toContain('externref');
});

async function onTheWire(request: Request): Promise<[path: string, bytes: number]> {
  const { responseHeadersSize, responseBodySize } = await request.sizes();
  return [new URL(request.url()).pathname, responseHeadersSize + responseBodySize];
}

const NEEDED = ['/devices/board-1', '/worker.js', '/pkg/gapless.css', '/pkg/gapless.js', '/pkg/gapless.wasm'];
const LIMIT_KB = 420;
