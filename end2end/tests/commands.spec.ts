// Orders given at the console: confirmed by their risk, never shown as done before the read-back, never kept for later.
import { type APIRequestContext, type Locator, type Page } from '@playwright/test';

import { expect, test } from '../support/gapless';
import { startBoards } from '../support/boards';
import { bar, complaints, pill, value, visit } from '../support/page';
import { preparePscada } from '../support/pscada';
import { startServer } from '../support/server';

const DEVICE = '/devices/board-1';

test('a threshold is shown as old → new, confirmed, and there once it was read back', async ({ page, request }) => {
  await visit(page, DEVICE);
  const order = command(page, 'SET_TEMP_THRESHOLD');
  const now = value(order.locator('.now'));
  await expect(now).toHaveText(/^\d+\.\d$/);
  const before = Number(await now.textContent());
  const after = before === 66.5 ? 67.5 : 66.5;

  await order.getByRole('textbox').fill(`${after}`);
  await page.keyboard.press('Enter');
  await expect(order.locator('.question b')).toHaveText(`${before.toFixed(1)} → ${after} °C`);
  await expect(order).toHaveAttribute('data-state', 'confirm');
  await expect(order.getByRole('button', { name: '确认' })).toBeFocused();
  await page.keyboard.press('Enter');

  // S0-22 to S0-24
  await expect(order).toHaveAttribute('data-state', 'done');
  await expect(order.locator('.said')).toHaveText(/^完成 \(已回读确认\) · \d+ ms$/);
  await expect(now).toHaveText(`${after}`);
  await expect(order.locator('.request')).toBeEmpty();
  await expect(order.getByRole('textbox')).toHaveValue('');
  const [row] = await recorded(request);
  expect(row).toMatchObject({ command: 'SET_TEMP_THRESHOLD', origin: 'local', old: before, new: after, verified: true });
});

test('what was typed stays until it is wanted, and says what is wrong with it', async ({ page, request }) => {
  await visit(page, DEVICE);
  const known = await recorded(request);
  const order = command(page, 'SET_TEMP_THRESHOLD');
  const field = order.getByRole('textbox');
  for (const { typed, why } of [
    { typed: '', why: '请输入数值' },
    { typed: '热', why: '不是数字' },
    { typed: '500', why: '取值 20 – 120 °C' },
  ]) {
    await field.fill(typed);
    await field.press('Enter');
    await expect(order.locator('.why')).toHaveText(why);
  }

  await field.fill('55');
  await field.press('Enter');
  await expect(order.locator('.question')).toBeVisible();
  await page.keyboard.press('Escape');

  await expect(order.locator('.question')).toBeHidden();
  await expect(field).toHaveValue('55');
  await expect(field).toBeFocused();
  expect(await recorded(request)).toEqual(known);
});

test('what can do harm is held for a second, by a finger or a key', async ({ page, request }) => {
  await visit(page, DEVICE);
  const known = (await recorded(request)).length;
  const start = command(page, 'START');
  const dialog = page.getByRole('dialog', { name: '启动' });
  await start.getByRole('button').click();
  await expect(dialog).toContainText('board-1');
  await expect(dialog).toContainText('写入 远方启动 = ON, 以 工作模式 = 4 确认');
  await expect(dialog.getByRole('button', { name: '取消' })).toBeFocused();

  const hold = dialog.getByRole('button', { name: '按住 1 秒执行' });
  await hold.click();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(start.getByRole('button')).toBeFocused();
  expect(await recorded(request)).toHaveLength(known);

  await start.getByRole('button').click();
  await hold.hover();
  await page.mouse.down();
  await expect(dialog).toBeHidden();
  await page.mouse.up();
  await expect(start).toHaveAttribute('data-state', 'done');

  const stop = command(page, 'STOP');
  await stop.getByRole('button').click();
  const other = page.getByRole('dialog', { name: '停止' });
  await page.keyboard.press('Tab');
  await expect(other.getByRole('button', { name: '按住 1 秒执行' })).toBeFocused();
  await page.keyboard.down('Enter');
  await expect(other).toBeHidden();
  await page.keyboard.up('Enter');
  await expect(stop).toHaveAttribute('data-state', 'done');
});

test('who cannot hold a key types the code of the device', async ({ page }) => {
  await visit(page, '/devices/board-2');
  const start = command(page, 'START');
  await start.getByRole('button').click();
  const code = page.getByRole('dialog').getByRole('textbox');
  await code.fill('board-1');
  await code.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await code.fill('board-2');
  await code.press('Enter');

  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(start).toHaveAttribute('data-state', 'done');
});

test('an order goes to the device on the screen', async ({ page, request }) => {
  await visit(page, DEVICE);
  await page.getByRole('link', { name: '3号钢轨电位限制柜' }).click();
  await expect(page).toHaveURL(/board-3$/);
  const order = command(page, 'SET_CLOCK');
  await expect(order.getByRole('button')).toBeEnabled();

  await order.getByRole('button').click();

  await expect(order).toHaveAttribute('data-state', 'done');
  const [row] = await recorded(request);
  expect(row).toMatchObject({ command: 'SET_CLOCK', device_id: 'board-3' });
});

test('what is pressed while the line is cut is not done later', async ({ page, line, request }) => {
  await visit(page, `${line.url}${DEVICE}`);
  const known = await recorded(request);
  const order = command(page, 'SET_TEMP_THRESHOLD');
  await order.getByRole('textbox').fill('44');

  await line.cut();

  await expect(bar(page)).toHaveAttribute('data-bar', 'lost');
  await expect(page.locator('[data-why]')).toHaveText('离线: 指令不会排队等待');
  for (const button of await page.locator('.commands .act button').all()) await expect(button).toBeDisabled();
  await order.getByRole('textbox').press('Enter');
  await expect(order.locator('.question')).toBeHidden();
  await line.mend();

  await expect(pill(page)).toHaveAttribute('data-link-state', 'live', { timeout: RETRY_MS });
  await expect(order.getByRole('button', { name: /设置/ })).toBeEnabled();
  await expect(order.getByRole('textbox')).toHaveValue('44');
  await expect(order).toHaveAttribute('data-state', 'draft');
  expect(await recorded(request)).toEqual(known);
});

test('a server that does not answer is asked once more, and then that is said @once', async ({ page, line, request }) => {
  // S0-60, S0-61
  await visit(page, `${line.url}${DEVICE}`);
  const order = command(page, 'SET_CLOCK');
  await expect(order.getByRole('button')).toBeEnabled();
  const known = (await recorded(request)).length;

  line.silence();
  await order.getByRole('button').click();

  await expect(order).toHaveAttribute('data-state', 'no_response', { timeout: 2_000 });
  await expect(order.locator('.said')).toContainText('COMMAND_NO_RESPONSE');
  await line.mend();
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live', { timeout: RETRY_MS });
  expect(await recorded(request)).toHaveLength(known);
});

test('the page of commands tells who did what, and when each step was reached', async ({ page, server }) => {
  const heard = await complaints(page);
  await visit(page, DEVICE);
  const order = command(page, 'SET_CLOCK');
  await order.getByRole('button').click();
  await expect(order).toHaveAttribute('data-state', 'done');

  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await expect(page).toHaveURL(/\/commands$/);
  const first = page.locator('.history tbody').first();
  await expect(first).toContainText('校时');
  await expect(first).toContainText('本地');
  await first.getByRole('button').click();
  await expect(first.locator('.timeline li')).toContainText(['接受 +0 ms', /已记录 \+\d+ ms/, /交给现场 \+\d+ ms/, /控制板确认写入 \+\d+ ms/, /结束 \+\d+ ms/]);

  await page.getByRole('link', { name: '失败' }).click();
  await expect(page).toHaveURL(/status=FAIL/);
  await expect(page.locator('.history tbody')).not.toContainText(['校时']);
  await page.reload();
  await expect(page.getByRole('link', { name: '失败' })).toHaveAttribute('aria-current', 'true');
  await page.getByRole('group', { name: '结果' }).getByRole('link', { name: '全部' }).click();
  await expect(page.locator('.history tbody').first()).toContainText('校时');

  const sheet = page.getByRole('link', { name: '导出 CSV' });
  const text = await (await page.request.get(server.url + (await sheet.getAttribute('href')))).text();
  expect(text).toContain('SET_CLOCK');
  expect(heard).toEqual([]);
});

test('another page sees an order as it happens', async ({ page, context }) => {
  await visit(page, '/commands');
  const other = await context.newPage();
  await visit(other, DEVICE);
  const order = command(other, 'SET_CLOCK');
  await order.getByRole('button').click();
  await expect(order).toHaveAttribute('data-state', 'done');

  await expect(page.locator('.history tbody').first()).toContainText('校时');
});

test('a board that is away takes no orders, but its channel does', async ({ page, plant }) => {
  await visit(page, `${plant.url}${DEVICE}`);
  const clock = command(page, 'SET_CLOCK');
  await expect(clock.getByRole('button')).toBeEnabled();

  plant.boards.fault('board-1', 'hang');

  await expect(clock.locator('.why')).toHaveText('控制板通信中断', { timeout: 10_000 });
  await expect(clock.getByRole('button')).toBeDisabled();
  await expect(command(page, 'SET_POLL_INTERVAL').getByRole('button', { name: /设置/ })).toBeEnabled();
  plant.boards.heal();
  await expect(clock.getByRole('button')).toBeEnabled({ timeout: 20_000 });
});

test('what PSCADA has ordered keeps the operator away for as long as it says @once', async ({ page, context }) => {
  // S0-28 to S0-30
  const [boards, pscada] = await Promise.all([startBoards(4), preparePscada()]);
  const ports = boards.ports.map((port, index) => [`GAPLESS__CHANNEL__${index + 1}__PORT`, `${port}`]);
  const server = await startServer({ args: ['--config', pscada.config], env: Object.fromEntries(ports) });
  await visit(page, `${server.url}${DEVICE}`);
  const all = await context.newPage();
  await visit(all, `${server.url}/commands`);
  const stop = command(page, 'STOP');
  await expect(stop.getByRole('button')).toBeEnabled();

  await pscada.switchOn(START);

  await expect(stop.locator('.why')).toHaveText(/^PSCADA 控制中, \d+ s 剩余$/);
  await expect(stop.getByRole('button')).toBeDisabled();
  await expect(command(page, 'SET_CLOCK').getByRole('button')).toBeEnabled();
  const held = all.locator('.queue tbody tr');
  await expect(held).toContainText(/5\s*PSCADA.*启动.*占用中 · \d+ s/);
  await expect(all.locator('.history tbody').first()).toContainText('PSCADA');

  await expect(stop.getByRole('button')).toBeEnabled({ timeout: HOLD_MS });
  await expect(stop.locator('.why')).toBeEmpty();
  await expect(held).toHaveCount(0);
  await server.stop();
  await boards.stop();
  await pscada.stop();
});

function command(page: Page, name: string): Locator {
  return page.locator(`[data-command="${name}"]`);
}

/** The orders on record, newest first. */
async function recorded(request: APIRequestContext): Promise<Array<Record<string, unknown>>> {
  const { rows } = await (await request.get('/api/commands')).json();
  return rows;
}

const RETRY_MS = 20_000;
/** As the sample has it, and a poll. */
const HOLD_MS = 12_000;
/** The coil that starts the board, as PSCADA knows it. */
const START = 0x0121;
