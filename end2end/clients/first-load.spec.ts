// What a first visit costs, and whether the oldest browsers can load it: by plain HTTP, as served.
import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync } from 'node:zlib';

import { expect, test } from '../tests/server';

test('a first visit fits into 350 KB', async ({ server }) => {
  const html = await load(`${server.url}/`);
  const paths = [...html.text().matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js|wasm|svg))"/g)];
  const files = await Promise.all([...new Set(paths.map(([, path]) => path)), WORKER].map(
    async (path) => ({ path, ...(await load(server.url + path)) }),
  ));

  const loaded = [{ path: '/', ...html }, ...files];
  const total = loaded.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of loaded) console.log(`${String(bytes).padStart(8)}  ${path}`);
  console.log(`first load: ${(total / 1024).toFixed(1)} of ${LIMIT_KB} KB`);

  expect(loaded.map(({ path }) => path)).toEqual(expect.arrayContaining(NEEDED));
  expect(total).toBeLessThanOrEqual(LIMIT_KB * 1024);
});

test('nothing in the glue is younger than Chrome 90', async ({ server }) => {
  const glue = await load(`${server.url}/pkg/gapless.js`);

  expect(glue.text()).not.toContain('externref');
});

interface Loaded {
  /** As they came over the wire. */
  bytes: number;
  text(): string;
}

function load(url: string): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/html, */*', 'accept-encoding': 'br' };
    get(url, { headers }, async (response) => {
      const body = await buffer(response);
      const packed = response.headers['content-encoding'] === 'br';
      if (response.statusCode !== 200) return reject(new Error(`${response.statusCode}: ${url}`));
      resolve({ bytes: body.length, text: () => (packed ? brotliDecompressSync(body) : body).toString() });
    }).on('error', reject);
  });
}

/** Named by the program, not by the page. */
const WORKER = '/worker.js';
const NEEDED = ['/', '/pkg/gapless.css', '/pkg/gapless.js', '/pkg/gapless.wasm'];
const LIMIT_KB = 350;
