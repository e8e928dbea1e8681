// S0-1, S0-2, S0-4, S0-96, S0-97: values of real boards move on the screen, each with quality and age.
import { expect, test } from '../support/gapless';
import { complaints, point, value, visit } from '../support/page';

const pages = ['/', '/devices/board-1'];

test('values move on the overview and on a page of their own', async ({ page }) => {
  for (const path of pages) {
    await visit(page, path);
    const current = value(point(page, 'board-1', 'branch_current_1'));
    // S0-3
    await expect(current).toHaveText(/^\d+\.\d$/);
    const before = await current.textContent();

    await expect(current).not.toHaveText(before ?? '');
  }
});

test('a page follows the device that its operator turns to', async ({ page }) => {
  await visit(page, '/');
  await page.getByRole('link', { name: '2号钢轨电位限制柜' }).click();

  await expect(page).toHaveURL(/\/devices\/board-2$/);
  const current = value(point(page, 'board-2', 'branch_current_1'));
  const before = await current.textContent();
  await expect(current).not.toHaveText(before ?? '');
});

test('every value has a quality and an age', async ({ page }) => {
  await visit(page, '/devices/board-1');
  const rows = page.locator('tr[data-point]');

  await expect(page.locator('tr[data-point]:not([data-quality="good"])')).toHaveCount(0);
  expect(await rows.count()).toBeGreaterThan(40);
  for (const quality of await rows.locator('.quality').allTextContents()) {
    expect(quality).toMatch(/^有效 · \d\ss$/);
  }
  // S0-5
  const switches = await page.locator('.switches .reading b').allTextContents();
  expect(switches.filter((word) => word !== 'ON' && word !== 'OFF')).toEqual([]);
});

test('state, fault codes and the reach of three peers stand on both pages', async ({ page }) => {
  for (const path of pages) {
    await visit(page, path);
    const device = page.locator('[data-device="board-1"]');
    // S0-6, S0-7
    await expect(device.locator('.state')).toHaveAttribute('data-status', /^(working|testing|alarm|fault)$/);
    await expect(device.locator('.fault-codes')).toBeAttached();
    // S0-8
    const peers = device.locator('[data-peer]');
    await expect(peers).toHaveCount(3);
    await expect(device.locator('[data-peer="board"]')).toHaveAttribute('data-reach', 'up');
  }
});

for (const { language, tag, name } of [
  { language: 'zh', tag: 'zh-CN', name: '钢轨电位' },
  { language: 'en', tag: 'en', name: 'Rail potential' },
]) {
  test(`the first HTML holds the values, in ${tag}`, async ({ request }) => {
    const headers = { accept: 'text/html', cookie: `lang=${language}` };
    for (const path of pages) {
      // A server that has just started has read nothing yet.
      await expect(async () => {
        const html = await (await request.get(path, { headers })).text();
        expect(html).toMatch(/data-point="rail_potential"[^>]*data-quality="good"/);
        expect(html).toMatch(new RegExp(`<html[^>]* lang="${tag}"`));
        const [, row] = html.split('data-point="rail_potential"');
        expect(row).toContain(name);
        expect(row).toMatch(/<b>\d+\.\d</);
      }).toPass({ timeout: 5_000 });
    }
  });
}

for (const path of pages) {
  test(`${path} comes alive without a word of complaint`, async ({ page }) => {
    const heard = await complaints(page);
    const response = await page.goto(path);
    await visit(page, path);

    expect(response?.status()).toBe(200);
    const policy = response?.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('unsafe-inline');
    expect(heard).toEqual([]);
  });
}
