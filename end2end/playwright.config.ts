import { defineConfig } from '@playwright/test';
import { fileURLToPath } from 'node:url';

// No sandbox within a container, and no talk with the browser's maker while a test counts messages.
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const chromium90 = fileURLToPath(new URL('.browsers/chromium90', import.meta.url));

export default defineConfig({
  workers: 1,
  timeout: 30_000,
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  use: {
    // The oldest Chromium has no language of its own.
    locale: 'zh-CN',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'clients', testDir: './clients' },
    {
      name: 'chromium',
      testDir: './tests',
      use: { browserName: 'chromium', launchOptions: { executablePath: '/usr/bin/chromium', args } },
    },
    {
      name: 'chromium90',
      testDir: './tests',
      use: { browserName: 'chromium', launchOptions: { executablePath: chromium90, args } },
    },
    {
      name: 'firefox',
      testDir: './tests',
      use: {
        browserName: 'firefox',
        channel: 'moz-firefox',
        launchOptions: { executablePath: '/usr/bin/firefox-esr' },
      },
    },
  ],
});
