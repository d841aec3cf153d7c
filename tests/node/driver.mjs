// Runs the frameworks that sessionctl's interop tests compare with.
//
// One JSON request a line on standard input, {"op": "remix.cookie.parse", ...}, and one JSON answer a line on
// standard output, {"result": ...} or {"error": {"name", "message"}}, in the same order. What the frameworks
// print goes to standard error. The operations stand in `ops/`; the first word of `op` says in which file.

import readline from "node:readline";

const FILES = {
  authjs: "authjs",
  browser: "browser",
  cookieSession: "express",
  cookieSignature: "express",
  express: "express",
  fastifyCookie: "fastify",
  fastifySecure: "fastify",
  fastifySession: "fastify",
  hono: "hono",
  iron: "iron",
  ironSession: "iron",
  jose: "jose",
  koaSession: "koa",
  nextAuth: "authjs",
  reactRouter: "react-router",
  remix: "remix",
};

console.log = console.info = console.debug = console.error;

async function operation(op) {
  const word = op.split(".")[0];
  const found = Object.hasOwn(FILES, word) ? (await import(`./ops/${FILES[word]}.mjs`)).operations[op] : undefined;
  if (!found) throw new TypeError(`there is no operation ${op}`);
  return found;
}

async function answer(line) {
  try {
    const { op, ...request } = JSON.parse(line);
    const run = await operation(op);
    return { result: (await run(request)) ?? null };
  } catch (error) {
    return { error: { name: error?.name ?? "Error", message: String(error?.message ?? error) } };
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line) process.stdout.write(JSON.stringify(await answer(line)) + "\n");
}
process.exit(0); // connections to Redis may still be open
