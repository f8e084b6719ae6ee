import type { CameraState } from './cameras'
import { get } from './http'

/** Streets under the map: tiles from elsewhere, or a PMTiles file of the hub's. */
export interface BaseMap {
  kind: 'raster' | 'vector'
  tiles: string[]
  pmtiles: string | null
  tile_size: 256 | 512
  max_zoom: number
  datum: 'wgs84' | 'cgcs2000' | 'gcj02'
  attribution: string
}

export interface Site {
  name: string
  lat: number
  lon: number
  zoom: number
  time_zone: string
  base_map?: BaseMap | null
  /** Where the site's media server shows a camera, with {device} and {camera}; often empty. */
  media_url?: string
}


/** A camera nothing can be said of now. */
export interface BlindCamera {
  id: string
  name: string
  state: CameraState
  since: string
}

export interface Summary {
  cameras: { total: number; ok: number }
  blind: BlindCamera[]
  vehicles: { total: number; online: number }
  alerts: { undecided: number; today: number }
  cases: { open: number; by_state: Record<string, number> }
  generated: boolean
  site: Site
  broker: string
}

export function summary(): Promise<Summary> {
  return get('/api/summary')
}
