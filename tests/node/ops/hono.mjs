// Hono: signed cookies of hono/cookie.

import { Hono } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";

import { setCookies } from "./http.mjs";

const NAME = "c";

async function ask(handler, cookie) {
  const app = new Hono();
  app.get("/", handler);
  return app.request("/", { headers: cookie ? { Cookie: cookie } : {} });
}

export const operations = {
  "hono.write": async ({ value, secret }) => {
    const response = await ask(async (context) => {
      await setSignedCookie(context, NAME, value, secret);
      return context.json({});
    });
    return setCookies(response.headers.getSetCookie())[NAME];
  },
  // The value, false where the signature is wrong, null where Hono does not look at the cookie.
  "hono.read": async ({ text, secret }) => {
    const handler = async (context) => context.json([(await getSignedCookie(context, secret, NAME)) ?? null]);
    return (await (await ask(handler, `${NAME}=${text}`)).json())[0];
  },
};
