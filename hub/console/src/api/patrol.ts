import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson'

import type { GridName } from './grids'
import { get, type Page, type Query } from './http'
import { tableFile, type TableFormat } from './tables'
import type { TrackPoint } from './vehicles'

export type Standing = 'visited' | 'open' | 'parked' | 'passed' | 'missed'

export interface CoverageItem {
  grid: GridName
  level: number | null
  parent: string | null
  synthetic: boolean
  standing: Standing
  required: number
  due: number
  made: number
  open: number
  missed: string[]
  /** Those of the missed days on which somebody was there without looking. */
  parked: string[]
  passed: string[]
  share: number | null
  visits: number
  looked_s: number
  last_visit: string | null
}

export interface Totals {
  required: number
  due: number
  made: number
  open_visits: number
  missed_visits: number
  share: number | null
  grids: number
  visited: number
  open: number
  parked: number
  passed: number
  missed: number
}

export interface CoverageReport {
  since: string
  until: string
  frequency: { level: number | null; times: number; period: 'day' | 'week' }[]
  totals: Totals
}

export interface Visit {
  vehicle: string
  /** The patrol it was made on, where a person went. */
  patrol: string | null
  plate: string
  grid: GridName
  start: string
  end: string
  /** Only who looked made a visit that counts. */
  manner: 'looked' | 'parked' | 'passed'
  looked_s: number
  /** Null of visits judged before this was kept. */
  inside_s: number | null
  moving_s: number | null
  standing_s: number | null
  slow_m: number | null
  passes: number | null
}

/** A row with the code and name of its grid beside the rest. */
export type CellProperties = Omit<CoverageItem, 'grid'> & GridName
export type Cells = FeatureCollection<Polygon | MultiPolygon, CellProperties>

/** Local days from `since` before `until`. */
export interface Asked {
  since: string
  until: string
  level?: number
  post?: string
  shift?: string
  grid?: string
}

function query(asked: Asked): Query {
  return { ...asked }
}

/** What an answer comes to in all; its rows are those of `cells`. */
export function coverage(asked: Asked): Promise<CoverageReport> {
  return get('/api/patrol/coverage', { ...query(asked), limit: 1 })
}

/** All grids of an answer with their outlines. */
export function cells(asked: Asked): Promise<Cells> {
  return get('/api/patrol/missed', { ...query(asked), all: true })
}

export function rowsOf(cells: Cells): CoverageItem[] {
  return cells.features.map(({ properties: { code, name, ...rest } }) => ({
    grid: { code, name },
    ...rest,
  }))
}

export function visits(asked: Asked): Promise<Page<Visit>> {
  return get('/api/patrol/visits', { ...query(asked), limit: 200 })
}

/** Shown of the way into a grid and out of it. */
const AROUND_MS = 30_000

function beside(at: string, ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString()
}

/** The fixes of a visit, and of the way there and on. */
export async function stretch(visit: Visit): Promise<TrackPoint[]> {
  const name = visit.vehicle.split('/').map(encodeURIComponent).join('/')
  const span = { from: beside(visit.start, -AROUND_MS), to: beside(visit.end, AROUND_MS) }
  if (visit.patrol)
    return (await get<Page<TrackPoint>>(`/api/patrols/${visit.patrol}/track`, span)).items
  return (await get<Page<TrackPoint>>(`/api/vehicles/${name}/track`, { ...span, limit: 20_000 })).items
}

export function coverageFile(asked: Asked, format: TableFormat): string {
  return tableFile('/api/patrol/coverage/file', format, query(asked))
}
