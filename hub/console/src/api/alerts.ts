import type { Codes } from '../coded'
import { calmNow } from '../time'
import type { GridName, GridStep } from './grids'
import { get, type Page, type Query, request } from './http'

export type Decision = 'confirmed' | 'false_alarm'

export interface Matter {
  code: string
  name_zh: string
  name_en: string
}

/** A rectangle as fractions of the picture; x, y = top-left corner. */
export interface Box {
  label: string
  score: number
  x: number
  y: number
  w: number
  h: number
}

/** How far a file can be relied on, and what its device signed of it. */
export interface Proof {
  state: 'verified' | 'unsigned' | 'bad'
  fault: string
  coded?: Codes
  device: string
  source: string
  model: string
  config_rev: string
  clock: 'none' | 'ntp' | 'gnss'
}

/** `url` is null until the device has sent the file, and of what is sealed or proves nothing. */
export interface Evidence {
  role: string
  type: string
  sha256: string
  url: string | null
  size: number
  sealed: boolean
  held: boolean
  original: string | null
  taken_at: string | null
  proof: Proof
}

export interface CaseLink {
  id: number | string
  number: string
  state: string
}

export interface HistoryStep {
  at: string
  actor: string
  what: string
  note: string
  coded?: Codes
}

export interface Snooze {
  by: string
  at: string
  until: string
  until_seen: boolean
  note: string
}

export interface Alert {
  id: string
  device: string
  source: string
  source_name: string | null
  label: string
  matter: Matter | null
  zone: string
  state: 'active' | 'ended'
  decision: Decision | null
  decided_by: string | null
  decided_at: string | null
  level: number
  since: string
  /** The last look before that showed the place clean; null when nobody can tell. */
  last_clean: string | null
  at: string
  ended_at: string | null
  received_at: string
  delayed: boolean
  lat: number
  lon: number
  acc_m: number
  place: 'ground' | 'camera' | 'vehicle' | 'last'
  grid: GridName | null
  grids: GridStep[]
  score: number
  model: string
  boxes: Box[]
  evidence: Evidence[]
  case: CaseLink | null
  times_seen: number
  /** The alert that told of the same thing before. */
  duplicate_of?: string | null
  /** Held back for its place; see `api/learning`. */
  suppressed_by?: number | null
  suppressed_until?: string | null
  /** Put off by a person, until then at the latest. */
  snooze?: Snooze | null
  generated: boolean
  history?: HistoryStep[]
}

export function alerts(query: Query): Promise<Page<Alert>> {
  return get('/api/alerts', query)
}

export function alert(id: string): Promise<Alert> {
  return get(`/api/alerts/${encodeURIComponent(id)}`)
}

export function decide(id: string, decision: Decision, note: string): Promise<Alert> {
  return request('POST', `/api/alerts/${encodeURIComponent(id)}/decision`, { decision, note })
}

/** Put off, and nobody has decided on it; it comes back by itself. */
export function isPutOff(item: Alert): boolean {
  return (
    item.decision === null && !!item.snooze && Date.parse(item.snooze.until) > calmNow.value
  )
}

/** Whether somebody has to decide on it: not on what is held back, put off or joined to another. */
export function waits(item: Alert): boolean {
  return item.decision === null && !item.suppressed_until && !item.duplicate_of && !isPutOff(item)
}

/** The id of the camera or vehicle that saw it. */
export function sourceId(item: Alert): string {
  return item.source.startsWith(`${item.device}/`) ? item.source : `${item.device}/${item.source}`
}

/** The picture to show first: with the boxes drawn, else any that has arrived. */
export function picture(item: Alert, role: 'annotated' | 'clean' = 'annotated'): string | null {
  const here = item.evidence.filter((file) => file.url && file.type.startsWith('image/'))
  return (here.find((file) => file.role === role) ?? here[0])?.url ?? null
}
