/** Tracks, replays, sites and permits as shapes of a page's own map. */

import type { Feature, FeatureCollection, Geometry, Position } from 'geojson'

import type { VehicleDay } from '../api/vehicle-day'

const METRES_PER_DEGREE = 111_195
const GAP_MS = 900_000

export interface Moment {
  at: string
  lat: number
  lon: number
  speed_kmh: number | null
}

export function shape(geometry: Geometry, tone: string): Feature {
  return { type: 'Feature', properties: { tone }, geometry }
}

export function pointShape(lat: number, lon: number, tone: string): Feature {
  return shape({ type: 'Point', coordinates: [lon, lat] }, tone)
}

export function shapes(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features }
}

/** The way, in one line for each time without a gap. */
export function wayShapes(points: readonly Moment[], tone = 'way'): Feature[] {
  const runs: Position[][] = []
  let last = Number.NEGATIVE_INFINITY
  for (const point of points) {
    const at = Date.parse(point.at)
    if (at - last > GAP_MS) runs.push([])
    runs.at(-1)?.push([point.lon, point.lat])
    last = at
  }
  return runs
    .filter((run) => run.length > 1)
    .map((run) => shape({ type: 'LineString', coordinates: run }, tone))
}

export function dayShapes(day: VehicleDay, points: readonly Moment[]): Feature[] {
  return [
    ...wayShapes(points),
    ...day.stops.map((stop) => pointShape(stop.lat, stop.lon, 'stop')),
    ...day.events.map((event) => pointShape(event.lat, event.lon, 'event')),
  ]
}

/** Where a vehicle was at a moment, evenly between the points around it; null before the first. */
export function placeAt(points: readonly Moment[], at: number): Moment | null {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Date.parse(points[middle]?.at ?? '') <= at) low = middle + 1
    else high = middle
  }
  const before = points[low - 1]
  const after = points[low]
  if (!before) return null
  if (!after || Date.parse(after.at) - Date.parse(before.at) > GAP_MS) return before
  const start = Date.parse(before.at)
  const share = (at - start) / Math.max(1, Date.parse(after.at) - start)
  return {
    at: new Date(at).toISOString(),
    lat: before.lat + share * (after.lat - before.lat),
    lon: before.lon + share * (after.lon - before.lon),
    speed_kmh: before.speed_kmh,
  }
}

/** A site's feature as it is drawn: a circle becomes a ring. */
export function siteShape(site: Feature, tone: string): Feature {
  const radius = Number(site.properties?.radius_m ?? 0)
  if (site.geometry.type !== 'Point' || radius <= 0) return shape(site.geometry, tone)
  const [lon = 0, lat = 0] = site.geometry.coordinates
  const up = radius / METRES_PER_DEGREE
  const across = up / Math.cos((lat * Math.PI) / 180)
  const ring = Array.from({ length: 49 }, (_, index) => {
    const angle = (index / 48) * 2 * Math.PI
    return [lon + across * Math.sin(angle), lat + up * Math.cos(angle)]
  })
  return shape({ type: 'Polygon', coordinates: [ring] }, tone)
}
