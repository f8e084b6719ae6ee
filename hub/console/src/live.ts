/** The stream of events: reconnects by itself, catches up, and always says how fresh the page is. */

import { reactive } from 'vue'

import { EventReader, type ServerEvent } from './sse'

/** Bytes come at least every 15 s; after this long without any, the line is dead. */
const SILENCE_MS = 25_000
/** A gap this short is not worth the operator's eye. */
const STALE_AFTER_MS = 8_000

export type Freshness = 'connecting' | 'live' | 'reconnecting' | 'stale'

/** `since`: ms, when the page was last known to be up to date. */
export const live = reactive({
  freshness: 'connecting' as Freshness,
  since: Date.now(),
  unauthorized: false,
})

export interface Listener {
  /** Events in the order the hub sent them. */
  events(events: ServerEvent[]): void
  /** The stream is open after a break, or the hub cannot fill the gap: read the lists again. */
  resync(): void
}

export class LiveStream {
  private lastId = ''
  private attempt = 0
  private opened = false
  private stopped = false
  private wake = () => {}
  private staleTimer: ReturnType<typeof setTimeout> | undefined
  private current: AbortController | null = null

  constructor(private readonly listener: Listener) {}

  start(): void {
    addEventListener('online', this.hurry)
    document.addEventListener('visibilitychange', this.hurry)
    void this.run()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.staleTimer)
    removeEventListener('online', this.hurry)
    document.removeEventListener('visibilitychange', this.hurry)
    this.current?.abort()
    this.wake()
  }

  private readonly hurry = (): void => {
    if (!document.hidden) this.wake()
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.listen().catch(() => {})
      if (this.stopped || live.unauthorized) return
      this.showBreak()
      await this.pause(retryDelayMs(this.attempt++))
    }
  }

  private async listen(): Promise<void> {
    const abort = new AbortController()
    this.current = abort
    let watchdog = setTimeout(() => abort.abort(), SILENCE_MS)
    try {
      const headers: Record<string, string> = this.lastId ? { 'Last-Event-ID': this.lastId } : {}
      const response = await fetch('/api/events', {
        headers,
        signal: abort.signal,
        cache: 'no-store',
      })
      if (response.status === 401) live.unauthorized = true
      if (!response.ok || !response.body) return
      this.showLive()
      const reader = new EventReader()
      const body = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await body.read()
        if (done) return
        clearTimeout(watchdog)
        watchdog = setTimeout(() => abort.abort(), SILENCE_MS)
        this.showLive()
        this.take(reader.read(value))
      }
    } finally {
      clearTimeout(watchdog)
      abort.abort()
    }
  }

  private take(events: ServerEvent[]): void {
    const last = events.at(-1)
    if (!last) return
    if (last.id) this.lastId = last.id
    if (events.some((event) => event.kind === 'resync')) this.listener.resync()
    this.listener.events(events.filter((event) => event.kind !== 'resync'))
  }

  private showLive(): void {
    this.attempt = 0
    clearTimeout(this.staleTimer)
    this.staleTimer = undefined
    live.since = Date.now()
    if (live.freshness === 'live') return
    live.freshness = 'live'
    if (this.opened) this.listener.resync()
    this.opened = true
  }

  private showBreak(): void {
    if (live.freshness === 'live') live.freshness = 'reconnecting'
    this.staleTimer ??= setTimeout(() => (live.freshness = 'stale'), STALE_AFTER_MS)
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Doubling from half a second to 15 s, drawn at random so that 200 pages do not return at once. */
export function retryDelayMs(attempt: number, random = Math.random()): number {
  return Math.min(15_000, 500 * 2 ** attempt) * (0.5 + random / 2)
}
