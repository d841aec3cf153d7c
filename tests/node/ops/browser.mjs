// A visit with a real browser: Chromium, driven by Playwright.

import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** What can be done on a page; each answers with what there is to see, or nothing. */
const STEPS = {
  goto: (page, url) => page.goto(url).then(() => undefined),
  fetch: (page, url) => page.evaluate((place) => fetch(place).then(() => undefined), url),
  fill: (page, [selector, text]) => page.fill(selector, text).then(() => undefined),
  click: (page, selector) => Promise.all([page.waitForNavigation(), page.click(selector)]).then(() => undefined),
  text: (page, selector) => page.textContent(selector),
};

export const operations = {
  // `hosts` names hosts that are this machine; `state` is a storageState; `har` is where the visit is recorded.
  // The answer is what the steps have seen, and the cookies that the browser holds at the end.
  "browser.visit": async ({ program, steps, state, har, hosts = [] }) => {
    const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(",");
    const args = rules ? [...ARGUMENTS, `--host-resolver-rules=${rules}`] : ARGUMENTS;
    const browser = await chromium.launch({ executablePath: program, args });
    try {
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        ...(state && { storageState: state }),
        ...(har && { recordHar: { path: har, content: "omit" } }),
      });
      const page = await context.newPage();
      const seen = [];
      for (const [step, argument] of steps) seen.push((await STEPS[step](page, argument)) ?? null);
      const cookies = await context.cookies();
      await context.close();
      return { seen, cookies };
    } finally {
      await browser.close();
    }
  },
};
