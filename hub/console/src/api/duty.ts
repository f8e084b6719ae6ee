import type { GridName } from './grids'
import { all, get, type Page, request } from './http'
import { tableFile } from './tables'

export const FIVE = ['area', 'people', 'duties', 'tasks', 'rewards'] as const
export type Five = (typeof FIVE)[number]

export interface FiveItem {
  grid: GridName
  level: number | null
  in_force: boolean
  synthetic: boolean
  complete: boolean
  missing: Five[]
  heads: number
  people: number
  duties: string[]
  tasks: string[]
  rewards: string[]
}

export interface Post {
  code: string
  name: string
  grid: GridName
  shifts: string[]
}

export interface Shift {
  code: string
  name: string
  days: string[]
  start: string
  end: string
}

export type Presence = 'present' | 'absent' | 'unknown' | 'waiting'

export interface Attendance {
  person: string
  name: string
  role: string
  post: string
  post_name: string
  grid: GridName
  shift: string
  shift_name: string
  day: string
  start: string
  end: string
  presence: Presence
  no_positions: boolean
  late: boolean | null
  left_early: boolean | null
  away: boolean | null
  first_at: string | null
  last_at: string | null
  inside_s: number
  away_s: number
  unknown_s: number
}

export function fives(): Promise<FiveItem[]> {
  return all('/api/duty/grids')
}

export function posts(): Promise<Post[]> {
  return all('/api/duty/posts')
}

export async function shifts(): Promise<Shift[]> {
  return (await get<Page<Shift>>('/api/duty/shifts')).items
}

export function attendance(since: string, until: string): Promise<Attendance[]> {
  return all('/api/duty/attendance', { since, until })
}

export function attendanceFile(since: string, until: string): string {
  return tableFile('/api/duty/attendance/file', 'xlsx', { since, until })
}

export interface DutyPerson {
  id: string
  name: string
  role: string
  post: string
  phone: string
  trackers: string[]
}

export interface DutyPost extends Post {
  patrols: GridName[]
  people: DutyPerson[]
}

export const TEXTS = ['duties', 'tasks', 'rewards'] as const
export type TextKind = (typeof TEXTS)[number]

export const PERSON_ROLES = [
  'chief_grid_head',
  'grid_head',
  'grid_worker',
  'supervisor',
  'collector',
  'officer',
] as const

export async function postsOf(grid: string): Promise<DutyPost[]> {
  return all('/api/duty/posts', { grid })
}

export function putTexts(grid: string, kind: TextKind, texts: string[]): Promise<unknown> {
  return request('PUT', `/api/duty/grids/${encodeURIComponent(grid)}/${kind}`, { texts })
}

/** Rows with the columns of their table; those of the same key are replaced. */
export function putRow(kind: 'posts' | 'people', row: Record<string, string>): Promise<unknown> {
  return request('PUT', '/api/duty/rows', { kind, rows: [row] })
}

export function removeRow(kind: 'posts' | 'people', key: string): Promise<unknown> {
  return request('DELETE', `/api/duty/${kind}/${encodeURIComponent(key)}`)
}

export function bringDuty(file: Blob): Promise<{ rows: Record<string, number> }> {
  return request('POST', '/api/duty/import', file)
}

export interface Swept {
  grid: GridName
  level: number | null
  area_m2: number
  swept_m2: number
  twice_m2: number
  share: number
  passes: number
  length_m: number
}

export function swept(since: string, until: string): Promise<Page<Swept>> {
  return get('/api/patrol/sweeping', { since, until, limit: 500 })
}

export function sweptFile(since: string, until: string): string {
  return tableFile('/api/patrol/sweeping/file', 'xlsx', { since, until })
}

const sweeper = (vehicle: string) =>
  `/api/patrol/sweepers/${vehicle.split('/').map(encodeURIComponent).join('/')}`

export async function sweepWidth(vehicle: string): Promise<number> {
  return (await get<{ sweep_width_m: number }>(sweeper(vehicle))).sweep_width_m
}

export function setSweepWidth(vehicle: string, sweep_width_m: number): Promise<unknown> {
  return request('PUT', sweeper(vehicle), { sweep_width_m })
}
