/** Devices: who is on the list, how they are, what they run with. */

import { all, get, request } from './http'
import type { RevisionNews } from './settings'

export interface ModelUpdate {
  id: string
  model: string
  version: string
  state: string
  why?: string
  received?: number
}

export interface DeviceHealth {
  ts?: number
  uptime_s?: number
  outbox_depth?: Record<string, number>
  outbox_oldest_s?: number
  refused?: number
  disk_free_mb?: number
  cameras?: { id: string; state: string; since: number }[]
  receivers?: { id: string; state: string; since: number }[]
  terminals?: number
  model?: { name: string; version?: string; update?: ModelUpdate | null } | null
}

export interface Gap {
  stream: string
  first: number
  last: number
  why: string
  at: string
}

export interface Device {
  id: string
  online: boolean
  state_since: string | null
  agent: string
  model: string
  generated: boolean
  enrolled: boolean
  revoked_at: string | null
  revoked_by: string | null
  /** Why, as whoever did it wrote. */
  revoked_because: string
  lag: Record<string, number>
  gaps: Gap[]
  last_seen_at: string | null
  health: DeviceHealth
  health_at: string | null
  /** Seconds its clock was ahead of the hub's. */
  clock_off_s: number | null
  key: string | null
  waiting_key: string | null
}

/** Shown once. `installed`: the broker knows it already. */
export interface Credentials {
  id: string
  password: string
  installed: boolean
}

const of = (device: string) => `/api/devices/${encodeURIComponent(device)}`

export function devices(): Promise<Device[]> {
  return all('/api/devices')
}

export function device(id: string): Promise<Device> {
  return get(of(id))
}

export function revisionNews(): Promise<RevisionNews[]> {
  return all('/api/revisions')
}

export function enrol(id: string): Promise<Credentials> {
  return request('POST', '/api/devices', { id })
}

export function newPassword(id: string): Promise<Credentials> {
  return request('POST', `${of(id)}/password`)
}

export function revoke(id: string, note: string): Promise<Device> {
  return request('POST', `${of(id)}/revoke`, { note })
}

export function acceptKey(id: string, key: string, note: string): Promise<Device> {
  return request('POST', `${of(id)}/key`, { key, note })
}
