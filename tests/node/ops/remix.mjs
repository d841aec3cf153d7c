// Remix 3: @remix-run/cookie and every storage of @remix-run/session.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { createCookie } from "@remix-run/cookie";
import { createCookieSessionStorage } from "@remix-run/session/cookie-storage";
import { createFsSessionStorage } from "@remix-run/session/fs-storage";
import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
import { createMemcacheSessionStorage } from "@remix-run/session-storage-memcache";
import { createRedisSessionStorage } from "@remix-run/session-storage-redis";
import { createClient } from "redis";

import { setCookies } from "./http.mjs";

const clients = new Map();

async function redisClient(url) {
  if (!clients.has(url)) clients.set(url, await createClient({ url }).connect());
  return clients.get(url);
}

/**
 * One request's worth of work on a session: read it, change it, save it.
 *
 * `values` are set, `unset` names are unset, `flash` is flashed, then `regenerate` ("keep" or "delete" the old
 * record) and `destroy`. The answer is what `save` gave: the cookie value, "" or null.
 */
async function save(storage, { cookie = null, values = {}, unset = [], flash = {}, regenerate, destroy }) {
  const session = await storage.read(cookie);
  for (const [key, value] of Object.entries(values)) session.set(key, value);
  for (const key of unset) session.unset(key);
  for (const [key, value] of Object.entries(flash)) session.flash(key, value);
  if (regenerate) session.regenerateId(regenerate === "delete");
  if (destroy) session.destroy();
  return storage.save(session);
}

/** What a session says: its values, their exact JSON, and what `get` gives for `keys` (flash included). */
async function read(storage, { cookie, keys = [] }) {
  const session = await storage.read(cookie);
  const values = session.data[0];
  const got = Object.fromEntries(keys.map((key) => [key, session.get(key) ?? null]));
  return { id: session.id, values, json: JSON.stringify(values), get: got, dirty: session.dirty, size: session.size };
}

function cookieOf({ name = "__session", secrets = [] }) {
  return createCookie(name, { secrets });
}

async function text(request, value) {
  const name = request.name ?? "__session";
  return setCookies(await cookieOf(request).serialize(value))[name];
}

function parse(request) {
  return cookieOf(request).parse(`${request.name ?? "__session"}=${request.text}`);
}

const cookies = createCookieSessionStorage();
const fs = ({ directory, ...options }) => createFsSessionStorage(directory, options.storage);
const redis = async ({ url, ...options }) => createRedisSessionStorage(await redisClient(url), options.storage);
const memcached = ({ url, ...options }) =>
  createMemcacheSessionStorage(url.replace(/^memcached:\/\//, ""), options.storage);

const TRACED = {
  memory: (_, options) => createMemorySessionStorage(options),
  cookie: () => cookies,
  fs: ({ directory }, options) => createFsSessionStorage(directory, options),
};

/** The text of each record that lies in a directory, by the IDs that were seen. */
function filesOf(directory, ids) {
  const found = {};
  for (const id of ids) {
    const name = createHash("sha256").update(id).digest("hex");
    const path = join(directory, name.slice(0, 2), name.slice(2));
    if (existsSync(path)) found[id] = readFileSync(path, "utf8");
  }
  return found;
}

/** What can be seen of a session, as in the corpus' traces. */
function seen(session, keys) {
  const { id, size, dirty, destroyed, data } = session;
  const get = Object.fromEntries(keys.map((key) => [key, session.get(key) == null ? [] : [session.get(key)]]));
  const has = Object.fromEntries(keys.map((key) => [key, session.has(key)]));
  return { id, deleteId: session.deleteId ?? null, size, dirty, destroyed, data, get, has };
}

/** Plays moves and adds to each what came of it: `returned` or `throws`, and `after`. */
async function trace(request) {
  const { keys, steps, options = {} } = request;
  const storage = TRACED[request.storage](request, options);
  const moves = {
    read: async ({ cookie }) => void (session = await storage.read(cookie?.from_step == null ? cookie : returned[cookie.from_step])),
    save: () => storage.save(session),
    set: ({ key, value }) => session.set(key, value),
    flash: ({ key, value }) => session.flash(key, value),
    unset: ({ key }) => session.unset(key),
    regenerateId: ({ deleteOld }) => session.regenerateId(deleteOld),
    destroy: () => session.destroy(),
    keep: ({ name }) => void (kept[name] = session),
    use: ({ name }) => void (session = kept[name]),
  };
  let session = null;
  const returned = [], kept = {}, ids = new Set();
  for (const step of steps) {
    try {
      const answer = (await moves[step.op](step)) ?? null;
      returned.push(answer);
      if (step.op === "save") step.returned = answer;
    } catch (error) {
      step.throws = String(error);
      returned.push(null);
    }
    ids.add(session.id);
    if (step.op === "save" && request.storage === "fs") step.store = filesOf(request.directory, ids);
    step.after = structuredClone(seen(session, keys));
  }
  return steps;
}

export const operations = {
  "remix.trace": trace,
  "remix.cookie.serialize": (request) => text(request, request.value),
  "remix.cookie.parse": parse,
  // The whole way: session to cookie text and back, with cookie storage.
  "remix.write": async (request) => text(request, await save(cookies, request)),
  "remix.read": async (request) => read(cookies, { ...request, cookie: await parse(request) }),
  // The storages alone: `cookie` is the cookie value. `storage` holds their options (ttl, keyPrefix, ...).
  "remix.fs.save": (request) => save(fs(request), request),
  "remix.fs.read": (request) => read(fs(request), request),
  "remix.redis.save": async (request) => save(await redis(request), request),
  "remix.redis.read": async (request) => read(await redis(request), request),
  "remix.memcached.save": (request) => save(memcached(request), request),
  "remix.memcached.read": (request) => read(memcached(request), request),
};
