import type { GridName } from './grids'
import { all, get, type Page, withQuery } from './http'

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
  return withQuery('/api/duty/attendance/file', { since, until, format: 'xlsx' })
}
