// S0-91: the page comes alive in every browser we promise, under the policy it is served with.
import { expect, test } from './server';

test('hydrates without a word of complaint', async ({ page }) => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });

  const response = await page.goto('/');

  expect(response?.status()).toBe(200);
  expect(response?.headers()['content-security-policy']).toContain("default-src 'self'");
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  expect(complaints).toEqual([]);
});

test('answers 404 for a page that does not exist', async ({ page }) => {
  const response = await page.goto('/no/such/page');

  expect(response?.status()).toBe(404);
});
