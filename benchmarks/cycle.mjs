// Remix 3's half of cycle.py: reads lines "<storage> <cycles>" from stdin, answers with the nanoseconds of a
// cycle, by the clock and of processor time in all its threads.
// Arguments: the folder that holds node_modules, a folder for files, and the session's data as JSON.
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

let [root, files, data] = process.argv.slice(2)
let load = (name) => import(pathToFileURL(join(root, 'node_modules/@remix-run', name)).href)
let { createCookie } = await load('cookie/dist/index.js')
let { createSession } = await load('session/dist/index.js')
let { createCookieSessionStorage } = await load('session/dist/cookie-storage.js')
let { createFsSessionStorage } = await load('session/dist/fs-storage.js')

let cookie = createCookie('session', {
  secrets: ['s3cret-of-the-benchmark'],
  httpOnly: true,
  secure: true,
  sameSite: 'Lax',
  path: '/',
})
let storages = { cookie: createCookieSessionStorage(), fs: createFsSessionStorage(files) }

async function begin(storage) {
  let session = createSession()
  for (let [key, value] of Object.entries(JSON.parse(data))) session.set(key, value)
  let text = await cookie.serialize(await storage.save(session))
  return `theme=dark; ${text.split(';')[0]}; _ga=GA1.1.1234567890.1234567890`
}

async function cycle(storage, header, n) {
  let session = await storage.read(await cookie.parse(header))
  session.set('visits', n)
  session.set('lastSeen', '2026-01-31T12:00:00Z')
  return cookie.serialize(await storage.save(session))
}

let headers = { cookie: await begin(storages.cookie), fs: await begin(storages.fs) }
console.log('ready')
for await (let line of createInterface({ input: process.stdin })) {
  let [name, cycles] = line.split(' ')
  let used = process.cpuUsage()
  let started = process.hrtime.bigint()
  for (let n = 0; n < Number(cycles); n++) await cycle(storages[name], headers[name], n)
  let clock = Number(process.hrtime.bigint() - started)
  let { user, system } = process.cpuUsage(used)
  console.log(clock / Number(cycles), ((user + system) * 1000) / Number(cycles))
}
