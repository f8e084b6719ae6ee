import type { GridName, GridStep } from './grids'
import { all, get, type Page } from './http'

export interface Vehicle {
  id: string
  device: string
  plate: string
  kind: string
  lat: number | null
  lon: number | null
  at: string | null
  speed_kmh: number | null
  heading_deg: number | null
  online: boolean
  grid: GridName | null
  grids: GridStep[]
  generated: boolean
}

export interface TrackPoint {
  at: string
  lat: number
  lon: number
  speed_kmh: number | null
  heading_deg: number | null
  valid: boolean
}

export function vehicles(): Promise<Vehicle[]> {
  return all('/api/vehicles')
}

/** Points of a vehicle since `from`, oldest first. */
export async function track(id: string, from: Date): Promise<TrackPoint[]> {
  const page = await get<Page<TrackPoint>>(`/api/vehicles/${encodeURIComponent(id)}/track`, {
    from: from.toISOString(),
    limit: 5000,
  })
  return page.items.toSorted((a, b) => (a.at < b.at ? -1 : 1))
}
