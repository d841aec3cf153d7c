// Remix 3's half of servers.py: reads lines "<work> <cycles>" from stdin, answers with nanoseconds of time and of
// CPU for a cycle. The work is one of Remix's storages, or the commands alone by the same client: those that Remix
// sends (setex), and those that sessionctl sends (evalsha). Arguments: the folder that holds node_modules, the URL
// of Redis, host:port of Memcached, the session's data as JSON, sessionctl's script, and two texts of a record.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

let [root, redisUrl, memcached, data, script, ...texts] = process.argv.slice(2)
let load = (name) => import(pathToFileURL(join(root, 'node_modules', name)).href)
let { createSession } = await load('@remix-run/session/dist/index.js')
let { createRedisSessionStorage } = await load('@remix-run/session-storage-redis/dist/index.js')
let { createMemcacheSessionStorage } = await load('@remix-run/session-storage-memcache/dist/index.js')
let { createClient } = createRequire(join(root, 'package.json'))('redis')

let client = await createClient({ url: redisUrl }).connect()
let storages = {
  redis: createRedisSessionStorage(client, { ttl: 3600 }),
  memcached: createMemcacheSessionStorage(memcached, { ttlSeconds: 3600 }),
}

async function begin(storage) {
  let session = createSession()
  for (let [key, value] of Object.entries(JSON.parse(data))) session.set(key, value)
  return storage.save(session)
}

async function cycle(storage, cookie, n) {
  let session = await storage.read(cookie)
  session.set('visits', n)
  session.set('lastSeen', '2026-01-31T12:00:00Z')
  return storage.save(session)
}

let cookies = { redis: await begin(storages.redis), memcached: await begin(storages.memcached) }
let sha = await client.scriptLoad(script)
await client.setEx('node-bare', 3600, texts[1])
let works = {
  redis: (n) => cycle(storages.redis, cookies.redis, n),
  memcached: (n) => cycle(storages.memcached, cookies.memcached, n),
  setex: async (n) => {
    await client.get('node-bare')
    await client.setEx('node-bare', 3600, texts[n % 2])
  },
  evalsha: async (n) => {
    await client.get('node-bare')
    await client.evalSha(sha, { keys: ['node-bare'], arguments: [texts[1 - (n % 2)], texts[n % 2], '3600000'] })
  },
}
console.log('ready')
for await (let line of createInterface({ input: process.stdin })) {
  let [name, cycles] = line.split(' ')
  let cpu = process.cpuUsage()
  let started = process.hrtime.bigint()
  for (let n = 0; n < Number(cycles); n++) await works[name](n)
  let wall = Number(process.hrtime.bigint() - started) / Number(cycles)
  let used = process.cpuUsage(cpu)
  console.log(`${wall} ${((used.user + used.system) * 1000) / Number(cycles)}`)
}
process.exit(0)
