// Unpacks the oldest Chromium we promise to serve, which a package of its day carries as brotli.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const packed = join(dirname(require.resolve('chrome-aws-lambda/package.json')), 'bin/chromium.br');
const browsers = join(dirname(fileURLToPath(import.meta.url)), '.browsers');
const chromium90 = join(browsers, 'chromium90');

if (!existsSync(chromium90)) {
  mkdirSync(browsers, { recursive: true });
  // Renamed when complete, so that an interrupted run leaves nothing that looks like a browser.
  const part = `${chromium90}.part`;
  writeFileSync(part, brotliDecompressSync(readFileSync(packed)));
  chmodSync(part, 0o755);
  renameSync(part, chromium90);
}
