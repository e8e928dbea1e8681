// What a sick board looks like: the last number stays, marked and with the reason in words.
import { expect, test } from '../support/gapless';
import { bar, point, value, visit } from '../support/page';

const faults = [
  { fault: 'hang', reason: '超时', tag: '' },
  { fault: 'refuse', reason: '拒绝连接', tag: ' @once' },
  { fault: 'exception:2', reason: '异常 2 地址无效', tag: ' @once' },
  { fault: 'garbage', reason: '应答无法识别', tag: ' @once' },
  { fault: 'short_answer', reason: '应答过短', tag: ' @once' },
  { fault: 'foreign_unit', reason: '其他站号应答', tag: ' @once' },
];

test.afterEach(({ plant }) => plant.boards.heal());

for (const { fault, reason, tag } of faults) {
  test(`${fault} is told as ${reason} within three polls, and heals by itself${tag}`, async ({ page, plant }) => {
    await visit(page, `${plant.url}/devices/board-1`);
    const energy = point(page, 'board-1', 'energy');
    await expect(energy).toHaveAttribute('data-quality', 'good');
    const number = await value(energy).textContent();

    plant.boards.fault('board-1', fault);

    await expect(energy.locator('.quality')).toContainText(reason, { timeout: THREE_POLLS_MS });
    await expect(energy).toHaveAttribute('data-quality', /^(stale|bad|no_comm)$/);
    await expect(page.locator('tr[data-quality="good"]')).toHaveCount(0);
    expect(Number(await value(energy).textContent()) - Number(number)).toBeLessThan(1);
    await expect(energy.locator('.reading')).toHaveCSS('background-image', /repeating-linear-gradient/);
    // The board is at fault, not the page's own connection.
    await expect(bar(page)).toBeHidden();

    plant.boards.fault('board-1', 'none');

    await expect(energy).toHaveAttribute('data-quality', 'good', { timeout: RECOVERY_MS });
    await expect(page.locator('tr[data-point]:not([data-quality="good"])')).toHaveCount(0);
    await expect(energy.locator('.reading')).toHaveCSS('background-image', 'none');
  });
}

test('a board that hangs is out of reach, and its neighbours are not', async ({ page, plant }) => {
  await visit(page, plant.url);
  const [sick, neighbour] = ['board-1', 'board-2'].map((id) => page.locator(`[data-device="${id}"]`));
  await expect(sick.locator('[data-peer="board"]')).toHaveAttribute('data-reach', 'up');

  plant.boards.fault('board-1', 'hang');

  await expect(sick.locator('[data-peer="board"]')).toHaveAttribute('data-reach', 'down', { timeout: THREE_POLLS_MS });
  // S0-6, S0-7
  await expect(sick.locator('.state')).toHaveAttribute('data-status', 'fault');
  await expect(sick.locator('.fault-code')).toContainText(['E030']);
  await expect(page.locator('[data-figure="online"] dd')).toHaveText('3/4');
  await expect(page.locator('.events')).toContainText('控制板');
  await expect(neighbour.locator('[data-peer="board"]')).toHaveAttribute('data-reach', 'up');
  const current = point(page, 'board-2', 'branch_current_1');
  await expect(current).toHaveAttribute('data-quality', 'good');
  const before = await value(current).textContent();
  await expect(value(current)).not.toHaveText(before ?? '');
});

/** Three polls of a second, and a second for what lies between board and screen. */
const THREE_POLLS_MS = 4_000;
/** A board that was away is dialled again with growing pauses. */
const RECOVERY_MS = 15_000;
