// What a lost connection looks like, and that nothing is lost when it returns.
import { expect, test } from '../support/gapless';
import { bar, connectionId, facts, pill, point, value, visit } from '../support/page';

test('a cut line is counted, marked, and made good', async ({ page, line }) => {
  await visit(page, `${line.url}/devices/board-1`);
  const current = point(page, 'board-1', 'branch_current_1');
  await expect(current).toHaveAttribute('data-quality', 'good');
  await facts(page);
  const connection = await connectionId(page);

  await line.cut();

  await expect(bar(page)).toHaveAttribute('data-bar', 'lost');
  await expect(bar(page)).toContainText(/连接中断 \d\d:\d\d:\d\d/);
  await expect(bar(page)).toContainText(/数据停留在 \d\d:\d\d:\d\d/);
  await expect(pill(page)).toHaveText('中断');
  await expect(current).toHaveAttribute('data-quality', 'link');
  await expect(current.locator('.reading')).toHaveCSS('background-image', /repeating-linear-gradient/);
  await expect(page.locator('tr[data-quality="good"]')).toHaveCount(0);
  // S0-42, S0-43: the first try has failed, and the next one is counted down to.
  await expect(bar(page)).toContainText(/第 2\/10 次重连 · [1-6] s/);
  await expect(bar(page)).toContainText('第 3/10 次重连', { timeout: RETRY_MS });

  await line.mend();

  // S0-41
  await expect(bar(page)).toHaveAttribute('data-bar', 'recovered', { timeout: RETRY_MS });
  await expect(bar(page)).toContainText(/已恢复\s*补传 \d+ 条 · 缺口 0/);
  await expect(current).toHaveAttribute('data-quality', 'good');
  const before = await value(current).textContent();
  await expect(value(current)).not.toHaveText(before ?? '');
  const { '缺口 丢失 / 补回': gaps, 重连次数: reconnects } = await facts(page);
  const [lost, repaired] = gaps.split(' / ').map(Number);
  expect(lost - repaired).toBe(0);
  expect(reconnects).toBe('1');
  expect(await connectionId(page)).toBe(connection);
  await expect(bar(page)).toBeHidden();
});

test('a slow line is shown as such @once', async ({ page, line }) => {
  line.delay(LATE_MS);
  await visit(page, line.url);

  await expect(pill(page)).toHaveText(/^在线[2-9]\d\d ms$/);
});

test('the operator need not wait for the next try @once', async ({ page, line }) => {
  await visit(page, line.url);
  await line.cut();
  await expect(bar(page)).toContainText('第 2/10 次重连');
  await line.mend();

  await page.getByRole('button', { name: '立即重试' }).click();

  await expect(pill(page)).toHaveAttribute('data-link-state', 'live', { timeout: 3_000 });
});

test('a server that was killed is found again', async ({ page, server }) => {
  await visit(page, '/devices/board-1');
  await server.kill();
  await expect(bar(page)).toHaveAttribute('data-bar', 'lost');

  await server.restart();

  await expect(pill(page)).toHaveAttribute('data-link-state', 'live', { timeout: RETRY_MS });
  const current = point(page, 'board-1', 'branch_current_1');
  await expect(current).toHaveAttribute('data-quality', 'good');
  const before = await value(current).textContent();
  await expect(value(current)).not.toHaveText(before ?? '');
});

test('after ten failures the operator is asked to check the network @once', async ({ page, line }) => {
  // S0-45
  test.setTimeout(SERIES_MS + 30_000);
  await visit(page, line.url);

  await line.cut();

  await expect(bar(page)).toHaveAttribute('data-bar', 'failed', { timeout: SERIES_MS });
  await expect(bar(page)).toContainText('重连失败');
  await expect(bar(page)).toContainText('请检查网络');
  await line.mend();
  await bar(page).getByRole('button', { name: '立即重试' }).click();
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live', { timeout: 3_000 });
});

test('a line that only fell silent is given up after three heartbeats @once', async ({ page, line }) => {
  // S0-40
  test.setTimeout(SILENCE_MS + 30_000);
  await visit(page, line.url);

  line.silence();

  await expect(bar(page)).toHaveAttribute('data-bar', 'lost', { timeout: SILENCE_MS });
  expect((await facts(page))['上次断开原因']).toBe('三次心跳无应答');
  await line.mend();
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live', { timeout: RETRY_MS });
});

/** Every try follows the one before within six seconds. */
const RETRY_MS = 10_000;
/** Ten tries. */
const SERIES_MS = 75_000;
/** The beat after the last that was answered goes unheard, and two more. */
const SILENCE_MS = 45_000;
const LATE_MS = 100;
