// Signing in: nothing before it, one's own password first, and a page that goes on after its sign-in has ended.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '../support/gapless';
import { complaints, pill, visit } from '../support/page';
import { PASSWORD, addAccount, ask, firstPassword, settle, signIn } from '../support/people';
import { type Server, startServer } from '../support/server';

let data: string;
let server: Server;

test.beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gapless-'));
  server = await startServer({ data, login: true });
});

test.afterEach(async () => {
  await server.stop();
  await rm(data, { recursive: true, force: true });
});

test('the first sign-in leads to a password of one’s own, and then to the page that was wanted', async ({ page }) => {
  // S0-88, S0-89
  const heard = await complaints(page);
  await page.goto(`${server.url}/devices/board-1`);
  await expect(page).toHaveURL(/\/login\?to=\/devices\/board-1$/);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  expect(await page.content()).not.toContain('rail_potential');

  await signIn(page, 'admin', 'wrong');
  await expect(page.getByRole('alert')).not.toBeEmpty();
  await signIn(page, 'admin', await firstPassword(data));
  await expect(page.getByRole('heading', { name: '修改密码' })).toBeVisible();
  expect(await page.content()).not.toContain('rail_potential');

  await page.getByLabel('当前密码').fill(await firstPassword(data));
  await page.getByLabel('新密码', { exact: true }).fill(PASSWORD);
  await page.getByLabel('再次输入新密码').fill(PASSWORD);
  await page.getByRole('button', { name: '修改密码' }).click();
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live');
  await expect(page).toHaveURL(/\/devices\/board-1$/);
  // The browser says that a password was wrong; nothing else is to be said.
  expect(heard.filter((line) => !line.includes('401'))).toEqual([]);
});

test('a sign-in that somebody ended leaves the page in its place until there is another', async ({ page }) => {
  // S0-89
  const admin = await settle(server, data);
  await addAccount(server, admin, 'li', 'operator');
  await page.goto(`${server.url}/login?to=/devices/board-1`);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await signIn(page, 'li', PASSWORD);
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live');

  const sessions = await (await ask(server, admin, 'GET', '/api/sessions')).json();
  const own = sessions.filter((session: { user: string }) => session.user === 'li');
  for (const { id } of own) await ask(server, admin, 'DELETE', `/api/sessions/${id}`);
  const again = page.getByRole('dialog', { name: '请重新登录' });
  await expect(again).toBeVisible();
  await expect(page.locator('[data-device="board-1"]').first()).toBeVisible();

  await again.getByLabel('密码', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(again).toBeHidden();
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live');
  await expect(page).toHaveURL(/\/devices\/board-1$/);
});

test('whoever may only watch is told why nothing can be ordered, and sees no other places', async ({ page }) => {
  const admin = await settle(server, data);
  await addAccount(server, admin, 'wang', 'viewer');
  await page.goto(`${server.url}/login?to=/devices/board-1`);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await signIn(page, 'wang', PASSWORD);
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live');
  await expect(page.locator('[data-command="START"]').getByRole('button')).toBeDisabled();
  await expect(page.locator('nav a[href="/events"]')).toHaveCount(0);
  await expect(page.locator('nav a[href^="/system"]')).toHaveCount(0);
});

test('an administrator sees the accounts, and who signed in', async ({ page }) => {
  await settle(server, data);
  await page.goto(`${server.url}/login?to=/system/users`);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await signIn(page, 'admin', PASSWORD);
  await expect(page).toHaveURL(/\/system\/users$/);
  await expect(page.getByRole('cell', { name: 'admin', exact: true }).first()).toBeVisible();
  await visit(page, `${server.url}/events`);
  await expect(page.getByRole('cell', { name: '登录', exact: true }).first()).toBeVisible();
  await visit(page, `${server.url}/events/audit`);
  await expect(page.getByRole('cell', { name: 'admin', exact: true }).first()).toBeVisible();
});

test('an address that is no path of ours is not gone to after the sign-in', async ({ page }) => {
  await settle(server, data);
  await page.goto(`${server.url}/login?to=//evil.example/x`);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await signIn(page, 'admin', PASSWORD);
  await expect(pill(page)).toHaveAttribute('data-link-state', 'live');
  expect(new URL(page.url()).origin).toBe(new URL(server.url).origin);
});
