/** A camera's settings as the hub sets them: zones, ground points, revisions. */

import type { Codes } from '../coded'
import { get, type Page, request } from './http'

export type Corner = [number, number]

export interface Hours {
  from: string
  until: string
  days: string[]
}

export interface Permit {
  number: string
  holder: string
  valid_from: string
  valid_until: string
  hours: Hours[]
}

export interface Zone {
  id: string
  name?: string
  polygon: Corner[]
  labels: string[]
  matters?: Record<string, string>
  dwell_s?: number
  min_area?: number
  min_ground_m2?: number | null
  allowed_hours?: Hours[]
  permits?: Permit[]
  severity?: number
  no_build?: boolean
  [more: string]: unknown
}

export interface GroundPoint {
  x: number
  y: number
  lat: number
  lon: number
}

export interface CameraSettings {
  zones: Zone[]
  ground_points: GroundPoint[]
}

export type RevisionState = 'waiting' | 'applied' | 'refused'

/** `coded`: those of the faults that have a code, by their place. */
export interface Faults {
  faults: string[]
  coded?: Codes
}

export interface RevisionNews extends Faults {
  device: string
  wanted: number | null
  reported: number | null
  state: RevisionState | null
  sent: boolean
}

export interface SettingsItem {
  in_force: CameraSettings | null
  wanted: CameraSettings | null
  calendar: Record<string, unknown>
  latest: number
  news: RevisionNews
}

export interface Difference {
  where: string
  before: unknown
  after: unknown
}

export interface Revision extends Faults {
  device: string
  rev: number
  at: string
  by: string
  note: string
  state: RevisionState
  sent_at: string | null
  answered_at: string | null
  changes: Difference[]
}

export interface BlindSpan {
  camera: string
  state: string
  from_at: string
  until_at: string | null
}

export function readSettings(camera: string): Promise<SettingsItem> {
  return get(`/api/cameras/${camera}/settings`)
}

export function checkSettings(camera: string, settings: CameraSettings): Promise<Faults> {
  return request('POST', `/api/cameras/${camera}/settings/check`, { settings })
}

export function saveSettings(
  camera: string,
  settings: CameraSettings,
  seen: number,
  note: string,
): Promise<Revision> {
  return request('PUT', `/api/cameras/${camera}/settings`, { settings, seen, note })
}

export function readRevisions(device: string, limit = 20): Promise<Page<Revision>> {
  return get(`/api/devices/${device}/revisions`, { limit })
}

export function restoreRevision(device: string, rev: number): Promise<Revision> {
  return request('POST', `/api/devices/${device}/revisions/${rev}/restore`, {})
}

export function readBlindSpans(camera: string, limit = 20): Promise<Page<BlindSpan>> {
  return get('/api/blind-spans', { camera, limit })
}
