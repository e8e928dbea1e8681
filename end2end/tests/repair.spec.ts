// S0-56, S0-57, S0-95: what was lost or falsified on the way is noticed, dropped and fetched again.
import { type Page } from '@playwright/test';

import { expect, test } from '../support/gapless';
import { bar, facts, visit } from '../support/page';

test('a falsified frame is not believed, and its truth is fetched', async ({ page, line }) => {
  await visit(page, `${line.url}/devices/board-1`);
  await remember(page);
  let falsified = 0;

  line.alter((bytes) => {
    const lie = bytes.toString('latin1').replace(CURRENT, (_, before, number) => before + enormous(number));
    if (falsified > 0 || bytes.equals(Buffer.from(lie, 'latin1'))) return bytes;
    falsified += 1;
    return Buffer.from(lie, 'latin1');
  });

  await expect(bar(page)).toContainText('收到校验失败的帧, 未采用');
  await expect.poll(() => facts(page)).toMatchObject({ [GAPS]: '1 / 1', [FORGED]: '1' });
  expect(Math.max(...(await remembered(page)))).toBeLessThan(1000);
});

test('a frame that got lost is noticed by the next, and fetched', async ({ page, line }) => {
  await visit(page, `${line.url}/devices/board-1`);
  let lost = 0;

  line.alter((bytes) => {
    if (lost > 0 || !isOneFrame(bytes) || !bytes.includes('DATA_UPDATE')) return bytes;
    lost += 1;
    return undefined;
  });

  // S0-58
  await expect.poll(() => facts(page)).toMatchObject({ [GAPS]: '1 / 1', [FORGED]: '0' });
  await expect(bar(page)).toBeHidden();
});

/** Another number of the same length: `12.3` becomes `99e9`. */
function enormous(number: string): string {
  return `${'9'.repeat(number.length - 2)}e9`;
}

/** Keeps whatever the page ever shows as the current. */
async function remember(page: Page): Promise<void> {
  await page.locator('[data-point="branch_current_1"] .reading b').evaluate((shown) => {
    const seen = [Number(shown.textContent)];
    Object.assign(window, { seen });
    const note = () => void seen.push(Number(shown.textContent));
    new MutationObserver(note).observe(shown, { characterData: true, childList: true, subtree: true });
  });
}

function remembered(page: Page): Promise<number[]> {
  return page.evaluate(() => (window as unknown as { seen: number[] }).seen);
}

/** Whether this is one whole text frame of a WebSocket, as long as its head says. */
function isOneFrame(bytes: Buffer): boolean {
  const [kind, length] = bytes;
  if (kind !== TEXT || length > SHORT) return false;
  return bytes.length === (length === SHORT ? 4 + bytes.readUInt16BE(2) : 2 + length);
}

/** A final text frame, and the mark of a length of two bytes: RFC 6455, 5.2. */
const TEXT = 0x81;
const SHORT = 126;

const CURRENT = /("branch_current_1":{[^}]*"v":)(\d+\.\d)/;
const GAPS = '缺口 丢失 / 补回';
const FORGED = '校验失败帧';
