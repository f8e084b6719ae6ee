/** What is worth a look at a device; the same words in the list and on its page. */

import type { Device } from './api/devices'
import type { RevisionNews } from './api/settings'

/** Beyond these somebody should look. The clock's is the hub's own tolerance. */
export const LIMITS = { outbox: 500, disk_mb: 500, clock_s: 120 } as const

export type Worry =
  | 'revoked'
  | 'stranger'
  | 'offline'
  | 'outbox'
  | 'disk'
  | 'clock'
  | 'config'
  | 'model'
  | 'key'

export function outboxOf(device: Device): number {
  return Object.values(device.lag).reduce((sum, n) => sum + n, 0)
}

export function worries(device: Device, news?: RevisionNews): Worry[] {
  const { disk_free_mb: disk, model } = device.health
  const update = model?.update?.state
  const checks: Record<Worry, boolean> = {
    revoked: device.revoked_at !== null,
    stranger: !device.enrolled && device.revoked_at === null,
    offline: !device.online,
    outbox: outboxOf(device) > LIMITS.outbox,
    disk: disk !== undefined && disk < LIMITS.disk_mb,
    clock: Math.abs(device.clock_off_s ?? 0) > LIMITS.clock_s,
    config: news?.state === 'refused',
    model: update === 'failed' || update === 'fell_back',
    key: device.waiting_key !== null,
  }
  return (Object.keys(checks) as Worry[]).filter((one) => checks[one])
}
