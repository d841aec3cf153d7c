// Express: express-session, cookie-parser, cookie-signature, cookie-session.

import cookieParser from "cookie-parser";
import cookieSession from "cookie-session";
import cookieSignature from "cookie-signature";
import express from "express";
import expressSession from "express-session";
import Keygrip from "keygrip";

import { ask } from "./http.mjs";

const NAME = "c";

/** A store that has a session for every ID and remembers which one it was asked for. */
class EveryStore extends expressSession.Store {
  asked = null;
  get(id, callback) {
    this.asked = id;
    callback(null, { cookie: { originalMaxAge: null } });
  }
  set(_id, _session, callback) {
    callback?.(null);
  }
  destroy(_id, callback) {
    callback?.(null);
  }
}

function app(...handlers) {
  const made = express();
  for (const handler of handlers) made.use(handler);
  return made;
}

function sessions(secrets, store) {
  return expressSession({ secret: secrets, resave: false, saveUninitialized: true, ...(store && { store }) });
}

function keys({ keys: list, digest, encoding }) {
  return digest ? new Keygrip(list, digest, encoding) : list;
}

function whole({ name = "session", ...request }) {
  return cookieSession({ name, keys: keys(request) });
}

export const operations = {
  "express.session.write": async ({ secrets }) => {
    const handler = (request, response) => response.json({ id: request.sessionID });
    const { body, cookies } = await ask(app(sessions(secrets, new expressSession.MemoryStore()), handler));
    return { id: body.id, text: cookies["connect.sid"] };
  },
  // The ID that express-session asks its store for; null where it refuses the cookie.
  "express.session.read": async ({ secrets, text }) => {
    const store = new EveryStore();
    await ask(app(sessions(secrets, store), (_request, response) => response.json({})), `connect.sid=${text}`);
    return store.asked;
  },
  "express.cookie.write": async ({ secrets, value }) => {
    const handler = (_request, response) => response.cookie(NAME, value, { signed: true }).json({});
    return (await ask(app(cookieParser(secrets), handler))).cookies[NAME];
  },
  // `signed` is absent where cookie-parser takes the cookie for an unsigned one, false where it is forged.
  "express.cookie.read": async ({ secrets, text }) => {
    const handler = (request, response) =>
      response.json({ signed: request.signedCookies[NAME], unsigned: request.cookies[NAME] });
    return (await ask(app(cookieParser(secrets), handler), `${NAME}=${text}`)).body;
  },
  "cookieSignature.sign": ({ value, secret }) => cookieSignature.sign(value, secret),
  "cookieSignature.unsign": ({ text, secret }) => cookieSignature.unsign(text, secret),
  "cookieSession.write": async ({ values, ...request }) => {
    const handler = (incoming, response) => {
      incoming.session = values;
      response.json({});
    };
    return (await ask(app(whole(request), handler))).cookies;
  },
  // `session` is {} where the cookie is refused; `cookies` are those that are sent back (a fresh signature).
  "cookieSession.read": async ({ header, ...request }) => {
    const handler = (incoming, response) => response.json(incoming.session);
    const { body, cookies } = await ask(app(whole(request), handler), header);
    return { session: body, cookies };
  },
};
