import { afterEach, describe, expect, it, vi } from 'vitest'

import type { OrderNews } from '../api/orders'
import { useLive } from './live-view'

// The words of the real one need a browser.
vi.mock('../i18n', () => ({ word: (_kind: string, name: string) => name }))
vi.mock('../coded', () => ({ said: (one: Record<string, string>, name: string) => one[name] }))
vi.mock('../problem', () => ({ problemText: () => 'the hub cannot be reached' }))
vi.mock('../time', () => ({ clockNow: { value: 0 } }))
vi.mock('vue', async (load) => ({ ...(await load<object>()), onBeforeUnmount: () => {} }))

const refused: OrderNews = {
  id: 'o-1',
  device: 'cam-1',
  op: 'camera.watch',
  state: 'failed',
  why: 'three are watched already',
  about: null,
}

function view(answer: Promise<Response>, picture?: () => Response) {
  const never = new Promise<Response>(() => {})
  vi.stubGlobal('document', { hidden: false })
  vi.stubGlobal('fetch', (_path: string, { method }: RequestInit) =>
    method === 'POST' ? answer : (picture?.() ?? never),
  )
  const failed = vi.fn()
  const live = useLive(() => 'cam-1/gate', failed)
  return { live, failed }
}

function given(): Response {
  const until = new Date(Date.now() + 60_000).toISOString()
  return Response.json({ camera: 'cam-1/gate', order: 'o-1', state: 'queued', until, lookers: 1 })
}

afterEach(() => vi.unstubAllGlobals())

describe('a live view', () => {
  it('ends, saying why, where the refusal is heard of before the order', async () => {
    let answer: (response: Response) => void = () => {}
    const { live, failed } = view(new Promise((done) => (answer = done)))
    live.start()
    live.heard(refused)
    expect(live.watching.value).toBe(true)
    answer(given())
    await vi.waitFor(() => expect(live.watching.value).toBe(false))
    expect(failed.mock.calls[0]?.[0]).toContain(refused.why)
  })

  it('goes on where the line breaks within a picture', async () => {
    const cut = new ReadableStream({ start: (body) => body.error(new TypeError('cut')) })
    const { live, failed } = view(Promise.resolve(given()), () => new Response(cut))
    live.start()
    await new Promise((done) => setTimeout(done, 20))
    expect(live.watching.value).toBe(true)
    expect(failed).not.toHaveBeenCalled()
    live.stop()
  })

  it('does not end with the order of somebody else', async () => {
    const { live, failed } = view(Promise.resolve(given()))
    live.start()
    live.heard({ ...refused, id: 'o-2' })
    await new Promise((done) => setTimeout(done, 20))
    expect(live.watching.value).toBe(true)
    expect(failed).not.toHaveBeenCalled()
    live.stop()
  })
})
