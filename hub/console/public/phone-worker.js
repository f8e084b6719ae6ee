// The phone page without a network: the page and what it is made of, never what the hub answers.
const CACHE = 'tianyan-phone-1'

self.addEventListener('install', (event) => {
  event.waitUntil(keepPage().then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim())
})

/** The page names its files; the old ones go when the new ones are all here. */
async function keepPage() {
  const cache = await caches.open(CACHE)
  const answer = await fetch('/phone', { cache: 'no-store' })
  if (!answer.ok) return
  const text = await answer.clone().text()
  const files = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((hit) => hit[1])
  await cache.addAll(files)
  await cache.put('/phone', answer)
  const wanted = new Set(['/phone', ...files])
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname
    if (!wanted.has(path) && !path.endsWith('.woff2')) await cache.delete(request)
  }
}

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== location.origin) return
  if (url.pathname.startsWith('/api/') || url.pathname.startsWith('/public/')) return
  event.respondWith(answered(event, url.pathname))
})

async function answered(event, path) {
  const cache = await caches.open(CACHE)
  if (path === '/phone') {
    const fresh = await fetch(event.request).catch(() => null)
    if (fresh?.ok) {
      event.waitUntil(keepPage().catch(() => {}))
      return fresh
    }
    return (await cache.match('/phone')) ?? Response.error()
  }
  const kept = await cache.match(path)
  if (kept) return kept
  const fresh = await fetch(event.request)
  if (fresh.ok && path.endsWith('.woff2')) await cache.put(path, fresh.clone())
  return fresh
}
