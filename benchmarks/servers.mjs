// Remix 3's half of servers.py: reads lines "<storage> <cycles>" from stdin, answers with nanoseconds of time and
// of CPU for a cycle. Arguments: the folder that holds node_modules, the URL of Redis, host:port of Memcached, and
// the session's data as JSON.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

let [root, redisUrl, memcached, data] = process.argv.slice(2)
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
console.log('ready')
for await (let line of createInterface({ input: process.stdin })) {
  let [name, cycles] = line.split(' ')
  let cpu = process.cpuUsage()
  let started = process.hrtime.bigint()
  for (let n = 0; n < Number(cycles); n++) await cycle(storages[name], cookies[name], n)
  let wall = Number(process.hrtime.bigint() - started) / Number(cycles)
  let used = process.cpuUsage(cpu)
  console.log(`${wall} ${((used.user + used.system) * 1000) / Number(cycles)}`)
}
process.exit(0)
