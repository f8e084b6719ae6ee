/** Which alert this page shows, told to the others; and which alerts others have before them. */

import { onBeforeUnmount, type Ref, shallowReactive, watch } from 'vue'

import type { Alert } from '../api/alerts'
import { type Claim, claim, readClaims, release } from '../api/attention'
import { clockNow } from '../time'
import { onEvent, rereads } from './city'
import { mayDecide } from './session'

/** Somebody who only passes over an alert on his way claims nothing. */
const STAYS_MS = 400
/** Well within the hub's lease of 30 s. */
const RENEW_MS = 12_000

const page = crypto.randomUUID?.() ?? `page-${Math.random().toString(36).slice(2)}`
const claims = shallowReactive(new Map<string, Claim>())

function put(item: Claim): void {
  if (item.until && item.page !== page) claims.set(item.alert, item)
  else claims.delete(item.alert)
}

onEvent((kind, item) => {
  if (kind === 'claim') put(item as Claim)
})
watch(rereads, async () => {
  const found = await readClaims().catch(() => null)
  if (!found) return
  claims.clear()
  for (const item of found.items) put(item)
})

/** Who else has an alert before him, and nothing when nobody has. */
export function lookedAtBy(id: string): string {
  const item = claims.get(id)
  return item?.until && Date.parse(item.until) > clockNow.value ? item.by : ''
}

/** Claims the alert that is shown, for as long as it is shown. */
export function useClaim(shown: Ref<Alert | null>): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let held = ''

  async function renew(id: string): Promise<void> {
    const stands = await claim(id, page).catch(() => null)
    if (stands) put(stands)
    if (shown.value?.id !== id) return release(id, page)
    held = id
    timer = setTimeout(() => void renew(id), RENEW_MS)
  }

  function letGo(): void {
    clearTimeout(timer)
    if (held) release(held, page)
    held = ''
  }

  watch(
    () => (shown.value && shown.value.decision === null && mayDecide() ? shown.value.id : ''),
    (id) => {
      letGo()
      if (id) timer = setTimeout(() => void renew(id), STAYS_MS)
    },
    { immediate: true },
  )
  addEventListener('pagehide', letGo)
  onBeforeUnmount(() => {
    removeEventListener('pagehide', letGo)
    letGo()
  })
}
