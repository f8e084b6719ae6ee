/** A camera looked at: pictures as they come, while the page is open and seen, and not for ever. */

import { computed, type ComputedRef, onBeforeUnmount, type Ref, ref, shallowRef } from 'vue'

import { ApiError } from '../api/http'
import { livePicture, watchLive } from '../api/live'
import { isOpen, type OrderNews } from '../api/orders'
import { said } from '../coded'
import { word } from '../i18n'
import { problemText } from '../problem'
import { clockNow } from '../time'

export const LONGEST_MS = 10 * 60_000
/** Of an order's time: when it is over, the next is asked for. */
export const AGAIN = 0.6
const REST_MS = 2000

export interface LiveView {
  watching: Ref<boolean>
  /** The newest picture; its address holds until the next. */
  shown: Ref<{ url: string; at: string } | null>
  lookers: Ref<number>
  /** ms until it ends by itself. */
  left: ComputedRef<number>
  start: () => void
  stop: () => void
  /** What became of an order: the view ends with a refused one of its own. */
  heard: (news: OrderNews) => void
}

/** `failed` is told why it ended too early; '' when its longest time is over. */
export function useLive(camera: () => string, failed: (why: string) => void): LiveView {
  const watching = ref(false)
  const shown = shallowRef<{ url: string; at: string } | null>(null)
  const lookers = ref(0)
  const until = ref(0)
  /** Orders that came to nothing, and why: the news may come before the answer with its id. */
  const refused = new Map<string, string>()
  let order = ''
  let again: ReturnType<typeof setTimeout> | undefined
  let life = 0
  let waiting = new AbortController()

  function stop(): void {
    life++
    waiting.abort()
    waiting = new AbortController()
    clearTimeout(again)
    watching.value = false
    order = ''
    show(null)
  }

  function end(why: string): void {
    stop()
    failed(why)
  }

  function show(next: { url: string; at: string } | null): void {
    if (shown.value) URL.revokeObjectURL(shown.value.url)
    shown.value = next
  }

  async function ask(mine: number): Promise<void> {
    clearTimeout(again)
    const item = await watchLive(camera())
    if (mine !== life) return
    lookers.value = item.lookers
    order = item.order
    const why = refused.get(order)
    if (why !== undefined) return end(why)
    const rest = AGAIN * Math.max(Date.parse(item.until) - Date.now(), REST_MS)
    again = setTimeout(() => void keepOn(mine, () => ask(mine)), rest)
  }

  async function keepOn(mine: number, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (mine !== life) return
      const away = error instanceof ApiError && error.status === 0
      if (away) await rest()
      else end(problemText(error))
    }
  }

  /** One picture after the other. A page that nobody sees asks for none, and asks anew later. */
  async function look(mine: number): Promise<void> {
    let last = 0
    while (mine === life) {
      if (Date.now() >= until.value) return end('')
      await keepOn(mine, async () => {
        if (document.hidden) {
          clearTimeout(again)
          await seenAgain()
          if (mine === life) await ask(mine)
          if (mine !== life) return
        }
        try {
          const next = await livePicture(camera(), last, waiting.signal)
          if (mine !== life || !next) return
          last = next.number
          show({ url: URL.createObjectURL(next.picture), at: next.at })
        } catch (error) {
          // The hub was started anew, or we were away for long.
          if (!(error instanceof ApiError) || error.code !== 'not_watching') throw error
          last = 0
          if (mine === life) await ask(mine)
        }
      })
    }
  }

  function heard(news: OrderNews): void {
    if (isOpen(news) || news.state === 'done') return
    const why = `${word('op', news.op)}: ${word('order', news.state)} ${said(news, 'why')}`
    refused.set(news.id, why)
    if (news.id === order) end(why)
  }

  function start(): void {
    stop()
    refused.clear()
    const mine = life
    watching.value = true
    until.value = Date.now() + LONGEST_MS
    void keepOn(mine, () => ask(mine)).then(() => look(mine))
  }

  onBeforeUnmount(stop)
  const left = computed(() => Math.max(0, until.value - clockNow.value))
  return { watching, shown, lookers, left, start, stop, heard }
}

function rest(): Promise<void> {
  return new Promise((done) => setTimeout(done, REST_MS))
}

function seenAgain(): Promise<void> {
  return new Promise((done) => {
    const tell = (): void => {
      if (document.hidden) return
      document.removeEventListener('visibilitychange', tell)
      done()
    }
    document.addEventListener('visibilitychange', tell)
    tell()
  })
}
