// Fastify: @fastify/cookie, @fastify/session, @fastify/secure-session.

import fastifyCookie from "@fastify/cookie";
import fastifySecureSession from "@fastify/secure-session";
import fastifySession from "@fastify/session";
import Fastify from "fastify";

import { setCookies } from "./http.mjs";

const NAME = "c";

async function ask(plugins, handler, cookie) {
  const app = Fastify();
  for (const [plugin, options] of plugins) await app.register(plugin, options);
  app.get("/", handler);
  try {
    const response = await app.inject({ url: "/", headers: cookie ? { cookie } : {} });
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${response.body}`);
    return { body: response.json(), cookies: setCookies(response.headers["set-cookie"]) };
  } finally {
    await app.close();
  }
}

function signed({ secrets, algorithm }) {
  return [[fastifyCookie, { secret: secrets, algorithm }]];
}

function sessions({ secrets, prefix, algorithm }, store) {
  const options = { secret: secrets, algorithm, cookiePrefix: prefix, cookie: { secure: false }, store };
  return [
    [fastifyCookie, {}],
    [fastifySession, options],
  ];
}

/** A store that has a session for every ID and remembers which one it was asked for. */
class EveryStore {
  asked = null;
  get(id, callback) {
    this.asked = id;
    callback(null, { cookie: { originalMaxAge: null } });
  }
  set(_id, _session, callback) {
    callback(null);
  }
  destroy(_id, callback) {
    callback(null);
  }
}

/** `keys` are base64 of 32 bytes, newest first; or `secret`, a text of 32 bytes or more, with its `salt`. */
function secure({ keys, secret, salt, expiry }) {
  const key = keys?.map((text) => Buffer.from(text, "base64"));
  return [[fastifySecureSession, { key, secret, salt, expiry, cookie: { path: "/" } }]];
}

export const operations = {
  "fastifyCookie.write": async ({ value, ...request }) => {
    const handler = (_request, reply) => reply.setCookie(NAME, value, { signed: true }).send({});
    return (await ask(signed(request), handler)).cookies[NAME];
  },
  // {valid, renew, value}
  "fastifyCookie.read": async ({ text, ...request }) => {
    const handler = (incoming, reply) => reply.send(incoming.unsignCookie(incoming.cookies[NAME]));
    return (await ask(signed(request), handler, `${NAME}=${text}`)).body;
  },
  "fastifySession.write": async (request) => {
    const handler = (incoming, reply) => {
      incoming.session.user = "alice";
      reply.send({ id: incoming.session.sessionId });
    };
    const { body, cookies } = await ask(sessions(request), handler);
    return { id: body.id, text: cookies.sessionId };
  },
  // The ID that the store is asked for; null where the cookie is refused.
  "fastifySession.read": async ({ text, ...request }) => {
    const store = new EveryStore();
    await ask(sessions(request, store), (_incoming, reply) => reply.send({}), `sessionId=${text}`);
    return store.asked;
  },
  "fastifySecure.encode": async ({ values, ...request }) => {
    const handler = (incoming, reply) => {
      for (const [key, value] of Object.entries(values)) incoming.session.set(key, value);
      reply.send({});
    };
    return (await ask(secure(request), handler)).cookies.session;
  },
  // The session's data; null where the cookie is refused, or is too old.
  "fastifySecure.decode": async ({ text, ...request }) => {
    const app = Fastify();
    for (const [plugin, options] of secure(request)) await app.register(plugin, options);
    try {
      await app.ready();
      return app.decodeSecureSession(decodeURIComponent(text))?.data() ?? null;
    } finally {
      await app.close();
    }
  },
};
