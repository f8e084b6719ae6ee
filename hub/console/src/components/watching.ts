/** A camera watched for a while: a picture every few seconds, and an end by itself. */

import { computed, type ComputedRef, onBeforeUnmount, type Ref, ref } from 'vue'

import { clockNow } from '../time'

export const EVERY_MS = 5000
export const LONGEST_MS = 5 * 60_000

export interface Watching {
  watching: Ref<boolean>
  /** ms until it ends. */
  left: ComputedRef<number>
  start: () => void
  stop: () => void
}

/** `ask` asks for one picture; a page that nobody sees asks for none. */
export function useWatching(ask: () => Promise<unknown>): Watching {
  const watching = ref(false)
  const until = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined

  function stop(): void {
    clearInterval(timer)
    watching.value = false
  }

  function once(): void {
    if (Date.now() >= until.value) stop()
    else if (!document.hidden) void ask()
  }

  function start(): void {
    stop()
    until.value = Date.now() + LONGEST_MS
    watching.value = true
    timer = setInterval(once, EVERY_MS)
    once()
  }

  onBeforeUnmount(stop)
  return { watching, left: computed(() => Math.max(0, until.value - clockNow.value)), start, stop }
}
