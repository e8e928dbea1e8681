// Signing in: the first administrator, and the accounts that they make.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Page, expect } from '@playwright/test';

import { type Server } from './server';

export const PASSWORD = 'cobalt-lantern-otter-93';

/** What the first start wrote down for whoever installs it. */
export async function firstPassword(data: string): Promise<string> {
  return (await readFile(join(data, 'initial-admin-password'), 'utf8')).trim();
}

/** Fills the form of the page, and sends it. */
export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('用户名').fill(name);
  await page.getByLabel('密码', { exact: true }).fill(password);
  await page.getByRole('button', { name: '登录' }).click();
}

/** The administrator, with a password of their own. */
export async function settle(server: Server, data: string): Promise<string> {
  const first = await token(server, 'admin', await firstPassword(data));
  await ask(server, first, 'POST', '/api/password', { old: await firstPassword(data), new: PASSWORD });
  return first;
}

/** A further account whose owner has chosen the usual password. */
export async function addAccount(server: Server, admin: string, name: string, role: string): Promise<void> {
  const given = 'amber-quarry-violin-58';
  await ask(server, admin, 'POST', '/api/users', { name, role, password: given });
  await ask(server, await token(server, name, given), 'POST', '/api/password', { old: given, new: PASSWORD });
}

export async function token(server: Server, username: string, password: string): Promise<string> {
  const answer = await fetch(`${server.url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()).access_token;
}

export async function ask(server: Server, bearer: string, method: string, path: string, body: object = {}) {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: method === 'GET' ? undefined : JSON.stringify(body),
  });
  expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
  return answer;
}
