/** Who has an alert before him, what is put off, what is merged, what is known of a spot. */

import type { Alert, CaseLink, Decision, Matter } from './alerts'
import { get, type Page, request } from './http'

/** `by` is empty and `until` null when nobody has it before him. */
export interface Claim {
  alert: string
  by: string
  page: string
  until: string | null
}

export interface NearAlert {
  id: string
  matter: Matter | null
  label: string
  source_name: string
  level: number
  since: string
  at: string
  state: 'active' | 'ended'
  decision: Decision | null
  decided_by: string | null
  times_seen: number
  case: CaseLink | null
  picture: string | null
  distance_m: number
}

export interface NearCase {
  id: number
  number: string
  title: string
  matter: Matter | null
  state: string
  is_open: boolean
  opened_at: string
  closed_at: string | null
  version: number
  distance_m: number
}

export interface NearPermit {
  number: string
  place: 'loading_site' | 'dump_site' | 'route'
  name: string
  vehicles: string[]
  open_now: boolean
  distance_m: number
}

export interface Spot {
  radius_m: number
  since: string
  alerts: NearAlert[]
  cases: NearCase[]
  permits: NearPermit[]
  false_alarms: number
  suppressions: { id: number; camera: string; label: string; until: string }[]
}

export interface Snoozing {
  minutes: number
  until_seen: boolean
  note: string
}

const of = (id: string) => `/api/alerts/${encodeURIComponent(id)}`

export function readClaims(): Promise<Page<Claim>> {
  return get('/api/claims')
}

export function claim(id: string, page: string): Promise<Claim> {
  return request('POST', `${of(id)}/claim`, { page })
}

/** Sent even while the page is being closed; whether it arrives does not matter: a lease ends. */
export function release(id: string, page: string): void {
  void fetch(`${of(id)}/claim?page=${page}`, {
    method: 'DELETE',
    headers: { 'X-Tianyan': '1' },
    keepalive: true,
  }).catch(() => {})
}

export function snooze(id: string, wanted: Snoozing): Promise<Alert> {
  return request('POST', `${of(id)}/snooze`, wanted)
}

export function bringBack(id: string): Promise<Alert> {
  return request('DELETE', `${of(id)}/snooze`)
}

export function merge(
  id: string,
  into: { alert: string } | { case: number },
  note: string,
): Promise<Alert> {
  return request('POST', `${of(id)}/merge`, { ...into, note })
}

export function spotAt(
  place: { lat: number; lon: number },
  at: string,
  radius_m: number,
  without = '',
): Promise<Spot> {
  return get('/api/spot', { lat: place.lat, lon: place.lon, at, radius_m, without })
}
