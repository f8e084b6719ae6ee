/** Bringing grids in: what a file would do, what is wrong with it, what was brought before. */

import type { Geometry } from 'geojson'

import type { WithCodes } from '../coded'
import { get, type Page, request, withQuery } from './http'

/** `feature`: which of the file's features, from 0; null for a grid that is in force and stays. */
export interface GridProblem extends WithCodes<'where' | 'message' | 'allowed'> {
  problem: string
  code: string | null
  feature: number | null
  others: string[]
  shape: Geometry | null
}

export interface Trial {
  new: number
  changed: number
  same: number
  staying: number
  problems: GridProblem[]
  total: number
}

export interface GridImport {
  id: number
  at: string
  actor: string
  source: string
  sha256: string
  changed: number
  /** How many of the grids in force came with it. */
  in_force: number
}

export function checkGrids(file: Blob): Promise<Trial> {
  return request('POST', '/api/grids/check', file)
}

export function importGrids(file: File): Promise<{ imported: number; changed: number }> {
  return request('POST', withQuery('/api/grids', { file: file.name.slice(0, 200) }), file)
}

export function gridImports(limit: number, offset: number): Promise<Page<GridImport>> {
  return get('/api/grid-imports', { limit, offset })
}
