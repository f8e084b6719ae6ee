import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { live, LiveStream, retryDelayMs } from './live'
import type { ServerEvent } from './sse'

/** A hub whose lines the test opens, writes to and cuts. */
class Hub {
  up = true
  asked: (string | null)[] = []
  private line: ReadableStreamDefaultController<Uint8Array> | null = null

  fetch = (_path: string, options: RequestInit): Promise<Response> => {
    this.asked.push(new Headers(options.headers).get('Last-Event-ID'))
    if (!this.up) return Promise.reject(new TypeError('no route'))
    const body = new ReadableStream<Uint8Array>({
      start: (line) => {
        this.line = line
        options.signal?.addEventListener('abort', () => line.error(new Error('aborted')))
      },
    })
    return Promise.resolve(new Response(body))
  }

  say(text: string): void {
    this.line?.enqueue(new TextEncoder().encode(text))
  }

  cut(): void {
    this.line?.error(new Error('cut'))
  }
}

describe('LiveStream', () => {
  let hub: Hub
  let told: ServerEvent[]
  let resyncs: number
  let stream: LiveStream

  beforeEach(async () => {
    vi.useFakeTimers()
    hub = new Hub()
    told = []
    resyncs = 0
    vi.stubGlobal('fetch', hub.fetch)
    vi.stubGlobal('addEventListener', () => {})
    vi.stubGlobal('removeEventListener', () => {})
    vi.stubGlobal('document', { addEventListener() {}, removeEventListener() {}, hidden: false })
    live.freshness = 'connecting'
    stream = new LiveStream({ events: (events) => told.push(...events), resync: () => resyncs++ })
    stream.start()
    await vi.advanceTimersByTimeAsync(10)
  })

  afterEach(() => {
    stream.stop()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('is live and hands events on in order', async () => {
    hub.say('id: 1\nevent: alert\ndata: {}\n\nid: 2\nevent: case\ndata: {}\n\n')
    await vi.advanceTimersByTimeAsync(10)
    expect(live.freshness).toBe('live')
    expect(told.map((event) => event.kind)).toEqual(['alert', 'case'])
    expect(resyncs).toBe(0)
  })

  it('asks for what it missed and reads the lists again after a break', async () => {
    hub.say('id: 7\nevent: alert\ndata: {}\n\n')
    await vi.advanceTimersByTimeAsync(10)
    hub.cut()
    await vi.advanceTimersByTimeAsync(1)
    expect(live.freshness).toBe('reconnecting')
    await vi.advanceTimersByTimeAsync(1000)
    expect(live.freshness).toBe('live')
    expect(hub.asked).toEqual([null, '7'])
    expect(resyncs).toBe(1)
  })

  it('says since when it is stale, and comes back by itself', async () => {
    const before = live.since
    hub.up = false
    hub.cut()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(live.freshness).toBe('stale')
    expect(live.since).toBe(before)
    hub.up = true
    await vi.advanceTimersByTimeAsync(15_000)
    expect(live.freshness).toBe('live')
  })

  it('takes a silent line for a dead one, but not while comments come', async () => {
    for (let i = 0; i < 4; i++) {
      await vi.advanceTimersByTimeAsync(15_000)
      hub.say(': still here\n\n')
    }
    expect(hub.asked.length).toBe(1)
    await vi.advanceTimersByTimeAsync(27_000)
    expect(hub.asked.length).toBe(2)
  })

  it('reads the lists again when the hub cannot fill the gap', async () => {
    hub.say('id: 90\nevent: resync\ndata: {}\n\n')
    await vi.advanceTimersByTimeAsync(10)
    expect(resyncs).toBe(1)
    expect(told).toEqual([])
  })
})

describe('retryDelayMs', () => {
  it.each([
    [0, 0, 250],
    [0, 1, 500],
    [3, 1, 4000],
    [20, 1, 15_000],
  ])('attempt %i, chance %f', (attempt, random, expected) => {
    expect(retryDelayMs(attempt, random)).toBe(expected)
  })
})
