// Both languages are complete, both themes can be read, and what was chosen stays.
import AxeBuilder from '@axe-core/playwright';
import { type Page } from '@playwright/test';

import { expect, test } from '../support/gapless';
import { choose, point, value, visit } from '../support/page';

const pages = ['/', '/devices/board-1', '/commands', '/no/such/page'];

test('the language changes at once, wholly, and for good', async ({ page }) => {
  for (const path of pages) {
    await visit(page, path);
    const html = page.locator('html');
    await expect(html).toHaveAttribute('lang', 'zh-CN');
    expect((await words(page)).filter(isEnglish)).toEqual([]);
    await page.evaluate(() => Object.assign(window, { isSamePage: true }));

    await page.locator('[data-switch="language"]').click();

    await expect(html).toHaveAttribute('lang', 'en');
    expect((await words(page)).filter(isChinese)).toEqual([]);
    expect(await page.evaluate(() => 'isSamePage' in window)).toBe(true);

    await page.reload();
    await expect(html).toHaveAttribute('lang', 'en');
    expect((await words(page)).filter(isChinese)).toEqual([]);
    await visit(page, path);
    await page.locator('[data-switch="language"]').click();
    await expect(html).toHaveAttribute('lang', 'zh-CN');
  }
});

test('values go on moving in the other language', async ({ page }) => {
  await visit(page, '/devices/board-1');
  await page.locator('[data-switch="language"]').click();
  const current = point(page, 'board-1', 'branch_current_1');

  await expect(current.locator('th')).toHaveText('Branch current 1');
  await expect(current.locator('.quality')).toContainText('good');
  const before = await value(current).textContent();
  await expect(value(current)).not.toHaveText(before ?? '');
});

test('light, dark and automatic follow each other and stay', async ({ page }) => {
  await visit(page, '/');
  const html = page.locator('html');
  for (const { theme, ground } of [
    { theme: 'light', ground: LIGHT },
    { theme: 'dark', ground: DARK },
    { theme: 'auto', ground: /^rgb/ },
  ]) {
    await page.locator('[data-switch="theme"]').click();
    await expect(html).toHaveAttribute('data-theme', theme);
    await expect(html).toHaveCSS('background-color', ground);

    await page.reload();
    await expect(html).toHaveAttribute('data-theme', theme);
    await visit(page, '/');
  }
});

test('automatic is what the operating system wants @once', async ({ page }) => {
  await visit(page, '/');
  for (const { colorScheme, ground } of [
    { colorScheme: 'dark', ground: DARK },
    { colorScheme: 'light', ground: LIGHT },
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveCSS('background-color', ground);
  }
});

for (const theme of ['light', 'dark']) {
  for (const lang of ['zh', 'en']) {
    test(`nobody is shut out of the ${theme} page in ${lang} @once`, async ({ page, server }) => {
      await choose(page, server.url, { theme, lang });
      for (const path of pages) {
        await visit(page, path);
        expect(await barriers(page), path).toEqual([]);
      }
      await page.locator('.pill').click();
      await expect(page.locator('#link-details')).toBeVisible();
      expect(await barriers(page), 'with the details of the connection').toEqual([]);
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog')).toBeVisible();
      expect(await barriers(page), 'with the help').toEqual([]);
    });
  }
}

/** What keeps people with other eyes or hands from using the page, as far as a program can tell. */
async function barriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return grave.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Every text on the page, and every text that is only heard. */
async function words(page: Page): Promise<string[]> {
  const texts = await page.evaluate(() => {
    const heard = [...document.querySelectorAll('[aria-label], [title]')].filter(
      (element) => !element.matches('[data-switch="language"]'),
    );
    // Why a disk fails is told in the system's own words.
    const foreign = [...document.querySelectorAll<HTMLElement>('[data-part] .muted')].map((why) => why.innerText);
    return [
      document.title,
      ...document.body.innerText.split('\n').filter((line) => !foreign.includes(line)),
      ...heard.flatMap((element) => [element.getAttribute('aria-label'), element.getAttribute('title')]),
    ];
  });
  return texts.filter((text) => text !== null && text !== '' && text.trim() !== SWITCH) as string[];
}

const isChinese = (text: string) => /\p{Script=Han}/u.test(text);
const isEnglish = (text: string) => /\p{Script=Latin}{3}/u.test(text.replaceAll(SAME_IN_BOTH, ''));

/** The switch itself speaks both. */
const SWITCH = '中/EN';
/** Names, units and the words of a switch. */
const SAME_IN_BOTH = /PSCADA|CST|CSV|kWh|OFF|min/g;
const LIGHT = 'rgb(213, 216, 219)';
const DARK = 'rgb(29, 33, 37)';
