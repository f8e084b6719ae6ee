/** Tracks, replays, sites and permits as shapes of a page's own map. */

import type { Feature, FeatureCollection, Geometry, Position } from 'geojson'

import type { DaySpan, VehicleDay } from '../api/vehicle-day'

const METRES_PER_DEGREE = 111_195
const GAP_MS = 900_000

/** When nothing was heard: the spans that the hub names, or else every pause of so many ms. */
export type Silence = readonly Pick<DaySpan, 'start' | 'end'>[] | number

export interface Moment {
  at: string
  lat: number
  lon: number
  speed_kmh: number | null
  /** Nothing was heard at this moment: it is where the vehicle was last. */
  lost?: boolean
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

/** Points in order of time, cut where there was silence between two of them. */
export function runsOf<Point extends { at: string }>(
  points: readonly Point[],
  silence: Silence,
): Point[][] {
  const ends = typeof silence === 'number' ? [] : silence.map((span) => Date.parse(span.end))
  const runs: Point[][] = []
  let last = Number.NEGATIVE_INFINITY
  for (const point of points) {
    const at = Date.parse(point.at)
    const isCut =
      typeof silence === 'number'
        ? at - last > silence
        : runs.length === 0 || ends.some((end) => last < end && end <= at)
    if (isCut) runs.push([])
    runs.at(-1)?.push(point)
    last = at
  }
  return runs
}

/** The way, in one line for each time without a gap. */
export function wayShapes(points: readonly Moment[], silence: Silence = GAP_MS): Feature[] {
  return runsOf(points, silence)
    .map((run): Position[] => run.map((point) => [point.lon, point.lat]))
    .filter((run) => run.length > 1)
    .map((run) => shape({ type: 'LineString', coordinates: run }, 'way'))
}

export function dayShapes(day: VehicleDay, points: readonly Moment[]): Feature[] {
  return [
    ...wayShapes(points, day.unknown),
    ...day.stops.map((stop) => pointShape(stop.lat, stop.lon, 'stop')),
    ...day.events.map((event) => pointShape(event.lat, event.lon, 'event')),
  ]
}

/**
 * Where a vehicle was at a moment, and how fast, evenly between the points around it; null before
 * the first. In silence it is where it was last, at no speed.
 */
export function placeAt(
  points: readonly Moment[],
  at: number,
  silence: Exclude<Silence, number>,
): Moment | null {
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
  if (silence.some((span) => Date.parse(span.start) < at && at < Date.parse(span.end)))
    return { ...before, speed_kmh: null, lost: true }
  if (!after) return before
  const start = Date.parse(before.at)
  const share = (at - start) / Math.max(1, Date.parse(after.at) - start)
  return {
    at: new Date(at).toISOString(),
    lat: before.lat + share * (after.lat - before.lat),
    lon: before.lon + share * (after.lon - before.lon),
    speed_kmh: between(before.speed_kmh, after.speed_kmh, share),
  }
}

function between(before: number | null, after: number | null, share: number): number | null {
  return before === null || after === null ? before : before + share * (after - before)
}

/** The point of a replay on the map. */
export function momentPoint(here: Moment | null): FeatureCollection {
  return shapes(here ? [pointShape(here.lat, here.lon, here.lost ? 'lost' : 'now')] : [])
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
