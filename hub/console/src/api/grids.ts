import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson'

import { get } from './http'

/** A grid a thing lies in; level 1 is the widest. */
export interface GridStep {
  /** Null in a set without levels. */
  level: number | null
  code: string
  name: string
}

export interface GridName {
  code: string
  name: string
}

export interface Grid extends GridStep {
  parent: string | null
  synthetic?: boolean
}

export type GridShapes = FeatureCollection<Polygon | MultiPolygon, Grid>

/** The grids in force, every level. */
export function gridShapes(): Promise<GridShapes> {
  return get('/api/grids.geojson')
}
