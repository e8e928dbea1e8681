// What an operator does and sees on a page.
import { type Locator, type Page, expect } from '@playwright/test';

/** Opens a page and waits until it lives. */
export async function visit(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live');
}

/** What the browser complains of from now on, and what the policy of the page forbids. */
export async function complaints(page: Page): Promise<string[]> {
  const heard: string[] = [];
  page.on('pageerror', (error) => heard.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') heard.push(message.text());
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, originalPolicy }) => {
      // The oldest Chromium complains of WASM even where the policy allows it.
      if (blockedURI === 'eval' && originalPolicy.includes("'unsafe-eval'")) return;
      console.error(`the policy ${violatedDirective} forbids ${blockedURI}`);
    });
  });
  return heard;
}

/** Chooses language or theme as if on an earlier visit. */
export async function choose(page: Page, url: string, choice: Choice): Promise<void> {
  const cookies = Object.entries(choice).map(([name, value]) => ({ name, value, url }));
  await page.context().addCookies(cookies);
}

export interface Choice {
  lang?: string;
  theme?: string;
}

/** The line or tile of one point of one device. */
export function point(page: Page, device: string, key: string): Locator {
  return page.locator(`[data-device="${device}"] [data-point="${key}"]`);
}

/** The number or word of a point, without its unit. */
export function value(point: Locator): Locator {
  return point.locator('.reading b');
}

export const pill = (page: Page) => page.locator('.pill');
export const bar = (page: Page) => page.locator('.connection-bar');

/** All that the page tells of its connection, by the words that stand before it. */
export async function facts(page: Page): Promise<Record<string, string>> {
  const details = page.locator('#link-details');
  if (await details.isHidden()) await pill(page).click();
  return details.locator('.facts').evaluate((list) => {
    const names = [...list.querySelectorAll('dt')];
    const text = (node: Element | null) => node?.textContent ?? '';
    return Object.fromEntries(names.map((name) => [text(name), text(name.nextElementSibling)]));
  });
}

/** How support would call this connection. */
export function connectionId(page: Page): Promise<string | null> {
  return page.locator('[data-connection-id]').textContent();
}
