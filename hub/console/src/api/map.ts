/** What the map alone asks for: a search, a past moment, fences and permits. */

import type { Feature, FeatureCollection } from 'geojson'

import type { Permit } from './permits'
import { all, get, type Page } from './http'

export interface Hit {
  kind: 'vehicle' | 'case' | 'camera' | 'grid'
  id: string
  title: string
  detail: string
  lat: number | null
  lon: number | null
}

export interface Past {
  at: string
  vehicles: {
    id: string
    at: string
    lat: number
    lon: number
    speed_kmh: number | null
    heading_deg: number | null
  }[]
  alerts: {
    id: string
    level: number
    lat: number
    lon: number
    place: 'ground' | 'camera' | 'vehicle' | 'last'
    decision: 'confirmed' | null
  }[]
  cases: { id: number; number: string; state: string; lat: number; lon: number }[]
}

export function search(q: string): Promise<Page<Hit>> {
  return get('/api/search', { q })
}

export function pastAt(at: Date): Promise<Past> {
  return get('/api/past', { at: at.toISOString() })
}

/** Fences as areas; a circle becomes one of 48 corners, a route a line. */
export async function fenceShapes(): Promise<FeatureCollection> {
  const found = await get<FeatureCollection>('/api/fences.geojson')
  return { ...found, features: found.features.map(fence) }
}

function fence(shape: Feature): Feature {
  const { radius_m, purpose, name } = (shape.properties ?? {}) as Record<string, unknown>
  const properties = { tone: String(purpose ?? ''), name: String(name ?? '') }
  if (shape.geometry.type !== 'Point' || typeof radius_m !== 'number')
    return { ...shape, properties }
  const [lon = 0, lat = 0] = shape.geometry.coordinates
  const ring = Array.from({ length: 49 }, (_, index) => {
    const turn = (index / 48) * 2 * Math.PI
    const north = (radius_m / 110_950) * Math.cos(turn)
    const east = (radius_m / (111_320 * Math.cos((lat * Math.PI) / 180))) * Math.sin(turn)
    return [lon + east, lat + north]
  })
  return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] }, properties }
}

/** The routes of the permits valid today. */
export async function permitRoutes(): Promise<FeatureCollection> {
  const permits = await all<Permit>('/api/permits', {}, 2000)
  return {
    type: 'FeatureCollection',
    features: permits
      .filter((one) => one.valid_today && one.permit.route.length > 1)
      .map((one) => ({
        type: 'Feature',
        geometry: { type: 'LineString', coordinates: one.permit.route },
        properties: { name: one.number },
      })),
  }
}
