// What is not there says so; what is only a demonstration says so too.
import { expect, test } from '../support/gapless';
import { choose, visit } from '../support/page';

for (const { language, page: noPage, device: noDevice, back } of [
  { language: 'zh', page: '没有这个页面', device: '没有这个设备', back: '回到总览' },
  { language: 'en', page: 'There is no such page', device: 'There is no such device', back: 'Back to the overview' },
]) {
  test(`an address that leads nowhere is answered with 404 in ${language}`, async ({ page, server }) => {
    await choose(page, server.url, { lang: language });
    for (const [path, headline] of [
      ['/no/such/page', noPage],
      ['/devices/board-99', noDevice],
    ]) {
      const response = await page.goto(path);

      expect(response?.status(), path).toBe(404);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(headline);
      await visit(page, path);
      await page.getByRole('link', { name: back }).click();
      await expect(page).toHaveURL(/:\d+\/$/);
      await expect(page.locator('.tile')).toHaveCount(4);
    }
  });
}

test('a file or an interface that is not there is a bare 404', async ({ request }) => {
  for (const path of ['/pkg/nothing.js', '/api/nothing', '/api/devices/board-99']) {
    const response = await request.get(path, { headers: { accept: '*/*' } });
    expect(response.status(), path).toBe(404);
  }
});

test('the demonstration says on every page that it is one', async ({ page }) => {
  for (const path of ['/', '/devices/board-1', '/no/such/page']) {
    await visit(page, path);
    const band = page.locator('[data-band="demo"]');
    await expect(band).toBeInViewport();
    await expect(band).toContainText('演示数据');
    await expect(band.getByRole('button')).toHaveCount(0);
  }
});

test('a plant of one\'s own is not called a demonstration', async ({ page, plant }) => {
  await visit(page, plant.url);

  await expect(page.locator('.tile')).toHaveCount(4);
  await expect(page.locator('[data-band="demo"]')).toHaveCount(0);
});
