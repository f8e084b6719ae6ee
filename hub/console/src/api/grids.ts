import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson'

import { all, get } from './http'

/** A grid a thing lies in; level 1 is the widest. */
export interface GridStep {
  level: number
  code: string
  name: string
}

export interface GridName {
  code: string
  name: string
}

export interface Grid extends GridStep {
  parent: string | null
  synthetic: boolean
  area_m2: number
}

export type GridShapes = FeatureCollection<Polygon | MultiPolygon, GridStep & { synthetic?: boolean }>

export function grids(): Promise<Grid[]> {
  return all('/api/grids')
}

export function gridShapes(level: number): Promise<GridShapes> {
  return get('/api/grids.geojson', { level })
}
