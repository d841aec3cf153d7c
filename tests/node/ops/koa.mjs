// Koa: koa-session, with its session in the cookie.

import Koa from "koa";
import session from "koa-session";

import { ask } from "./http.mjs";

const make = session.createSession ?? session.default ?? session;

function app({ keys, name = "koa.sess", maxAge }, handler) {
  const made = new Koa();
  made.keys = keys;
  made.use(make({ key: name, ...(maxAge !== undefined && { maxAge }) }, made));
  made.use(handler);
  return made.callback();
}

export const operations = {
  "koaSession.write": async ({ values, ...request }) => {
    const handler = (context) => {
      Object.assign(context.session, values);
      context.body = {};
    };
    return (await ask(app(request, handler))).cookies;
  },
  // {} where the cookie is refused or has expired.
  "koaSession.read": async ({ header, ...request }) => {
    const handler = (context) => {
      context.body = context.session.toJSON();
    };
    return (await ask(app(request, handler), header)).body;
  },
};
