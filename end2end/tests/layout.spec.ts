// The console fits desks, panels and phones, and needs no mouse.
import { type Page } from '@playwright/test';

import { expect, test } from '../support/gapless';
import { visit } from '../support/page';

const pages = ['/', '/devices/board-1', '/commands', '/no/such/page'];
const DESK = { width: 1280, height: 800 };
const PANEL = { width: 1024, height: 768 };
const PHONE = { width: 390, height: 844 };

for (const viewport of [DESK, PANEL, PHONE, { width: 320, height: 640 }]) {
  test(`nothing is wider than ${viewport.width} pixels`, async ({ page }) => {
    await page.setViewportSize(viewport);
    for (const path of pages) {
      await visit(page, path);
      expect(await wide(page), path).toEqual([]);
    }
  });
}

test('places stand in a rail on a desk and at the foot of a phone', async ({ page }) => {
  await visit(page, '/');
  const rail = page.getByRole('navigation', { name: '导航' });
  const box = async () => (await rail.boundingBox()) ?? { x: -1, y: -1, width: 0, height: 0 };

  await page.setViewportSize(DESK);
  await expect.poll(async () => (await box()).x).toBe(0);
  expect((await box()).height).toBeGreaterThan((await box()).width);
  await expect(rail.getByText('总览')).toBeInViewport();

  await page.setViewportSize(PHONE);
  // A scroll bar may stand beside it.
  const whole = () => page.evaluate(() => document.documentElement.clientWidth);
  await expect.poll(async () => (await box()).width).toBe(await whole());
  const { y, height } = await box();
  expect(y + height).toBeCloseTo(PHONE.height, 0);
  await expect(rail.getByText('总览')).toBeInViewport();
});

test('on a phone everything that can be touched is as large as a finger @once', async ({ browser, server }) => {
  const context = await browser.newContext({ viewport: PHONE, hasTouch: true, isMobile: true, locale: 'zh-CN' });
  const page = await context.newPage();
  for (const path of pages) {
    await visit(page, server.url + path);
    const small = await page.locator('button:visible, .rail a:visible, a.chip:visible, .banner a:visible').evaluateAll((all) =>
      all.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML));
    expect(small, path).toEqual([]);
  }
  await context.close();
});

test('the keyboard reaches every place', async ({ page }) => {
  await visit(page, '/');
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: '跳到内容' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await expect(skip).toHaveCSS('outline-style', 'solid');
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();

  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await expect(page).toHaveURL(/\/devices\/board-1$/);
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await expect(page).toHaveURL(/:\d+\/$/);
});

test('the help takes the focus and gives it back', async ({ page }) => {
  await visit(page, '/');
  const language = page.locator('[data-switch="language"]');
  await language.focus();

  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: '键盘快捷键' });
  await expect(help.getByRole('button', { name: '关闭' })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(help.getByRole('button', { name: '关闭' })).toBeFocused();
  await page.keyboard.press('Escape');

  await expect(help).toBeHidden();
  await expect(language).toBeFocused();
});

/** What sticks out of the page, if it can be scrolled sideways. */
function wide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const out = [...document.body.querySelectorAll('*')].filter(
      (element) => element.getBoundingClientRect().right > clientWidth,
    );
    return [`${scrollWidth} of ${clientWidth}`, ...out.map((element) => element.outerHTML.slice(0, 80))];
  });
}
