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

// What does not depend on the browser, or takes a minute, runs in one of them.
const once = /@once/;

export default defineConfig({
  testDir: './tests',
  workers: 1,
  timeout: 30_000,
  // A disk that somebody else keeps busy answers late, and orders with it: as promised, and not what a
  // test is about. What passes only the second time is told as flaky.
  retries: process.env.CI ? 1 : 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  use: {
    // The oldest Chromium has no language of its own.
    locale: 'zh-CN',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: [
    {
      name: 'chromium',
      use: { browserName: 'chromium', launchOptions: { executablePath: '/usr/bin/chromium', args } },
    },
    {
      name: 'chromium90',
      grepInvert: once,
      use: { browserName: 'chromium', launchOptions: { executablePath: chromium90, args } },
    },
    {
      name: 'firefox',
      grepInvert: once,
      use: {
        browserName: 'firefox',
        channel: 'moz-firefox',
        launchOptions: { executablePath: '/usr/bin/firefox-esr' },
      },
    },
  ],
});
