// What an operator sees of a server that was started again, and that the place in each stream is kept.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { expect, test } from '../support/gapless';
import { bar, choose, connectionId, facts, pill, point, visit } from '../support/page';
import { startServer } from '../support/server';
import { openBrowser } from '../support/tabs';

const GAPS = '缺口 丢失 / 补回';

test('whoever was there before a crash is known after it, and misses no event', async ({ page, server }) => {
  // S0-70, S0-71
  await visit(page, '/devices/board-1');
  const before = await facts(page);
  const connection = await connectionId(page);

  await server.restart();

  await expect(bar(page)).toHaveAttribute('data-bar', 'recovered', { timeout: RETRY_MS });
  await expect(bar(page)).toContainText(/补传 \d+ 条 · 缺口 0/);
  await expect(point(page, 'board-1', 'branch_current_1')).toHaveAttribute('data-quality', 'good');
  const after = await facts(page);
  expect(await connectionId(page)).toBe(connection);
  expect(after['纪元']).not.toBe(before['纪元']);
  const [lost, repaired] = after[GAPS].split(' / ').map(Number);
  expect(lost - repaired).toBe(0);
  await page.goto('/');
});

test('the time of which nobody knows the values is named among the events', async ({ page, server }) => {
  await visit(page, '/');
  await server.restart();

  const hole = page.locator('[data-event="hole/values"]').first();
  await expect(hole).toContainText(/数值缺失 \(事件已补齐\) \d\d:\d\d:\d\d – \d\d:\d\d:\d\d/, { timeout: RETRY_MS });
});

test('a page that is loaded again goes on where it was', async ({ page, server }) => {
  await visit(page, `${server.url}/devices/board-1`);
  await expect(point(page, 'board-1', 'branch_current_1')).toHaveAttribute('data-quality', 'good');
  const before = await facts(page);
  const connection = await connectionId(page);

  await page.reload();

  await expect(pill(page)).toHaveAttribute('data-link-state', 'live');
  const after = await facts(page);
  expect(await connectionId(page)).toBe(connection);
  expect(after['纪元']).toBe(before['纪元']);
  expect(Number(after['序列号'])).toBeGreaterThanOrEqual(Number(before['序列号']));
  const [lost, repaired] = after[GAPS].split(' / ').map(Number);
  expect(lost - repaired).toBe(0);
});

test('a tab in the background stays connected @once', async ({ server }) => {
  test.setTimeout(HIDDEN_MS + 60_000);
  const tabs = await openBrowser();
  const tab = await tabs.open(`${server.url}/devices/board-1`);
  const state = () => tab.read<string>("document.querySelector('.pill')?.dataset.linkState");
  const hidden = () => tab.read<string>('document.visibilityState');
  await expect.poll(state).toBe('live');
  const connection = await tab.read<string>(CONNECTION);
  await (await tabs.open('about:blank')).show();
  await expect.poll(hidden).toBe('hidden');

  await pause(HIDDEN_MS);

  expect([await hidden(), await state()]).toEqual(['hidden', 'live']);
  expect(await tab.read<string>(CONNECTION)).toBe(connection);
  await tab.show();
  await tab.read("document.querySelector('.pill').click()");
  await expect.poll(() => tab.read<string>(RECONNECTS)).toMatch(/(重连次数|Reconnects)0/);
  await tabs.close();
});

test('a journal that cannot be written is told, and the values go on @once', async ({ page }, info) => {
  const data = info.outputPath('data');
  await mkdir(join(data, 'journal.db'), { recursive: true });
  const server = await startServer({ data });
  for (const [lang, words] of [['zh', '恢复日志无法写入'], ['en', 'The journal cannot be written']]) {
    await choose(page, server.url, { lang });
    await visit(page, server.url);

    await expect(page.locator('[data-part="journal"]')).toContainText(words);
    await expect(point(page, 'board-1', 'rail_potential').first()).toHaveAttribute('data-quality', 'good');
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: info.outputPath(`journal-${lang}-${width}.png`) });
    }
  }
  await rm(join(data, 'journal.db'), { recursive: true });
  await expect(page.locator('[data-part="journal"]')).toHaveCount(0, { timeout: RETRY_MS });
  await server.stop();
});

const CONNECTION = "document.querySelector('[data-connection-id]').textContent";
const RECONNECTS = "document.querySelector('#link-details .facts').textContent";
const RETRY_MS = 15_000;
const HIDDEN_MS = 120_000;
