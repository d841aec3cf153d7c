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

const FORM = '<form method=post action=/login><input name=user><button id=enter>go</button></form>';

/** A shop with a cart for guests; `regenerate` says whether its log-in makes a new session. */
function shop(regenerate) {
  const made = app(sessions(["express-shop-throw-away-key"]), express.urlencoded());
  made.get("/", (request, response) => {
    request.session.cart = [7];
    const leave = "<form method=post action=/logout><button id=leave>go</button></form>";
    response.type("html").send(`<p id=who>${request.session.user ?? "guest"}</p>${leave}`);
  });
  made.get("/login", (_request, response) => response.type("html").send(FORM));
  made.post("/login", (request, response) => {
    const enter = () => {
      request.session.user = request.body.user;
      response.redirect("/");
    };
    if (regenerate) request.session.regenerate(enter);
    else enter();
  });
  made.post("/logout", (request, response) => {
    request.session.destroy(() => response.clearCookie("connect.sid").redirect("/login"));
  });
  return made;
}

const OPEN = new Map();

export const operations = {
  "express.shop.open": async ({ regenerate }) => {
    const server = shop(regenerate).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    OPEN.set(server.address().port, server);
    return server.address().port;
  },
  "express.shop.close": ({ port }) => {
    OPEN.get(port)?.closeAllConnections();
    OPEN.get(port)?.close();
    OPEN.delete(port);
  },
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
