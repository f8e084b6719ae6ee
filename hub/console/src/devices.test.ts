import { describe, expect, it } from 'vitest'

import type { Device } from './api/devices'
import { outboxOf, worries } from './devices'

const sound: Device = {
  id: 'cam-1',
  online: true,
  state_since: null,
  agent: '',
  model: '',
  generated: false,
  enrolled: true,
  revoked_at: null,
  revoked_by: null,
  revoked_because: '',
  lag: { alert: 1, track: 2 },
  gaps: [],
  last_seen_at: null,
  health: { disk_free_mb: 9000 },
  health_at: null,
  clock_off_s: 1,
  key: null,
  waiting_key: null,
}

describe('a device', () => {
  it('without a fault worries nobody', () => {
    expect(worries(sound)).toEqual([])
    expect(outboxOf(sound)).toBe(3)
  })

  it.each([
    ['offline', { online: false }],
    ['stranger', { enrolled: false }],
    ['revoked', { enrolled: false, revoked_at: 'x' }],
    ['outbox', { lag: { alert: 501 } }],
    ['disk', { health: { disk_free_mb: 3 } }],
    ['clock', { clock_off_s: -3600 }],
    ['key', { waiting_key: 'k' }],
    ['model', { health: { model: { name: 'n', update: { id: '1', model: 'n', version: '2', state: 'fell_back' } } } }],
  ] as [string, Partial<Device>][])('worries: %s', (worry, change) => {
    expect(worries({ ...sound, ...change })).toEqual([worry])
  })

  it('worries when it refused its configuration', () => {
    const news = { device: 'cam-1', wanted: 2, reported: 1, state: 'refused' as const, sent: true, faults: [] }
    expect(worries(sound, news)).toEqual(['config'])
  })
})
