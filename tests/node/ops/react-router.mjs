// React Router 7: createCookie and cookie session storage.

import { createCookie, createCookieSessionStorage } from "react-router";

import { setCookies } from "./http.mjs";

const NAME = "__session";

function storage({ secrets = [] }) {
  return createCookieSessionStorage({ cookie: { name: NAME, secrets } });
}

function raw(header) {
  return setCookies(header)[NAME];
}

export const operations = {
  "reactRouter.cookie.serialize": async ({ secrets = [], value }) =>
    raw(await createCookie(NAME, { secrets }).serialize(value)),
  "reactRouter.cookie.parse": ({ secrets = [], text }) => createCookie(NAME, { secrets }).parse(`${NAME}=${text}`),
  "reactRouter.session.write": async ({ values = {}, flash = {}, ...request }) => {
    const { getSession, commitSession } = storage(request);
    const session = await getSession();
    for (const [key, value] of Object.entries(values)) session.set(key, value);
    for (const [key, value] of Object.entries(flash)) session.flash(key, value);
    return raw(await commitSession(session));
  },
  // `keys` are read with get, which takes flash away: `data` is what the session holds before that.
  "reactRouter.session.read": async ({ text, keys = [], ...request }) => {
    const session = await storage(request).getSession(`${NAME}=${text}`);
    const data = { ...session.data };
    return { data, json: JSON.stringify(data), get: Object.fromEntries(keys.map((key) => [key, session.get(key) ?? null])) };
  },
};
