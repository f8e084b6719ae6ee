/** What the hub says, as features of the map's sources. */

import type { Feature, FeatureCollection, LineString, Point, Position } from 'geojson'

import type { Alert } from '../api/alerts'
import { type Camera, sight } from '../api/cameras'
import type { Case } from '../api/cases'
import type { GridShapes, GridStep } from '../api/grids'
import type { TrackPoint, Vehicle } from '../api/vehicles'
import { VEHICLE_KINDS } from './icons'
import { MOVING_KMH } from './motion'

type Points = FeatureCollection<Point>
type Lines = FeatureCollection<LineString>

function point(
  id: string,
  lon: number,
  lat: number,
  properties: Record<string, unknown>,
): Feature<Point> {
  return {
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [lon, lat] },
    properties: { id, ...properties },
  }
}

export function collection<Geometry extends Point | LineString>(
  features: Feature<Geometry>[],
): FeatureCollection<Geometry> {
  return { type: 'FeatureCollection', features }
}

export function cameraPoints(cameras: Iterable<Camera>): Points {
  const features = []
  for (const camera of cameras) {
    const seen = sight(camera)
    const fov = Math.min(180, Math.max(10, Math.round((camera.fov_deg ?? 0) / 10) * 10))
    const looks = camera.heading_deg !== null && camera.fov_deg !== null
    features.push(
      point(camera.id, camera.lon, camera.lat, {
        name: camera.name,
        icon: `camera-${seen}`,
        fov: looks ? `fov-${fov}${seen === 'blind' ? '-blind' : ''}` : '',
        heading: camera.heading_deg ?? 0,
      }),
    )
  }
  return collection(features)
}

/** Whether the map can draw it: one impossible position must not take the others away. */
function onEarth(lon: number | null, lat: number | null): boolean {
  return lon !== null && lat !== null && Math.abs(lon) <= 180 && Math.abs(lat) <= 90
}

/** Null while the vehicle has no position. */
export function vehiclePoint(vehicle: Vehicle): Feature<Point> | null {
  if (!onEarth(vehicle.lon, vehicle.lat)) return null
  const kind = VEHICLE_KINDS.includes(vehicle.kind) ? vehicle.kind : 'other'
  const moving = vehicle.heading_deg !== null && (vehicle.speed_kmh ?? 0) >= MOVING_KMH
  const manner = vehicle.online ? (moving ? 'moving' : 'still') : 'off'
  return point(vehicle.id, vehicle.lon ?? 0, vehicle.lat ?? 0, {
    plate: vehicle.plate || vehicle.id,
    icon: `vehicle-${kind}-${manner}`,
    kind,
    heading: manner === 'moving' ? vehicle.heading_deg : 0,
  })
}

export function trailLine(id: string, kind: string, points: Position[]): Feature<LineString> {
  return {
    type: 'Feature',
    geometry: { type: 'LineString', coordinates: points },
    properties: { id, kind },
  }
}

/** A track as one line per unbroken run: a gap of minutes is not a straight drive. */
export function trackLines(points: readonly TrackPoint[], gapS = 120): Lines {
  const runs: Position[][] = []
  let last = Number.NEGATIVE_INFINITY
  for (const fix of points) {
    if (!fix.valid) continue
    const at = Date.parse(fix.at)
    if (at - last > gapS * 1000) runs.push([])
    runs.at(-1)?.push([fix.lon, fix.lat])
    last = at
  }
  return collection(
    runs.filter((run) => run.length > 1).map((run, index) => trailLine(String(index), '', run)),
  )
}

type DrawnAlert = Pick<Alert, 'id' | 'level' | 'lat' | 'lon' | 'place' | 'decision'> &
  Partial<Pick<Alert, 'suppressed_until'>>

export function alertPoints(alerts: Iterable<DrawnAlert>): Points {
  const features = []
  for (const item of alerts) {
    const level = Math.min(3, Math.max(1, item.level))
    const decided = item.decision !== null
    if (item.decision === 'false_alarm' || (item.suppressed_until && !decided)) continue
    features.push(
      point(item.id, item.lon, item.lat, {
        icon: `alert-${level}${decided ? '-decided' : ''}`,
        rank: decided ? 0 : level,
        // A camera's own place is taken by its sign: the alert stands above it.
        lift: item.place === 'camera' ? [0, -17] : [0, 0],
      }),
    )
  }
  return collection(features)
}

export function casePoints(
  cases: Iterable<Pick<Case, 'id' | 'number' | 'lat' | 'lon'>>,
): Points {
  const features = []
  for (const item of cases)
    features.push(point(String(item.id), item.lon, item.lat, { number: item.number }))
  return collection(features)
}

/** One label a grid, in the middle of its largest ring. */
export function gridLabels(shapes: GridShapes): Points {
  return collection(
    shapes.features.map((shape) => {
      const rings =
        shape.geometry.type === 'Polygon'
          ? [shape.geometry.coordinates]
          : shape.geometry.coordinates
      const largest =
        rings
          .map((ring) => ring[0] ?? [])
          .toSorted((a, b) => Math.abs(ringArea(b)) - Math.abs(ringArea(a)))[0] ?? []
      const [lon, lat] = ringCentre(largest)
      const { code, name, level, synthetic } = shape.properties
      // A made-up grid says so behind a blank; the map says it once for all.
      const shown = synthetic ? (name.split(' ')[0] ?? name) : name
      return point(code, lon, lat, { name: shortName(shown || code), level })
    }),
  )
}

function shortName(name: string): string {
  return name.length > 14 ? `${name.slice(0, 13)}…` : name
}

function ringArea(ring: Position[]): number {
  let twice = 0
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax = 0, ay = 0] = ring[i] ?? []
    const [bx = 0, by = 0] = ring[i + 1] ?? []
    twice += ax * by - bx * ay
  }
  return twice / 2
}

function ringCentre(ring: Position[]): [number, number] {
  const [ox = 0, oy = 0] = ring[0] ?? []
  let twice = 0
  let x = 0
  let y = 0
  for (let i = 0; i + 1 < ring.length; i++) {
    const ax = (ring[i]?.[0] ?? 0) - ox
    const ay = (ring[i]?.[1] ?? 0) - oy
    const bx = (ring[i + 1]?.[0] ?? 0) - ox
    const by = (ring[i + 1]?.[1] ?? 0) - oy
    const cross = ax * by - bx * ay
    twice += cross
    x += (ax + bx) * cross
    y += (ay + by) * cross
  }
  return twice === 0 ? [ox, oy] : [ox + x / (3 * twice), oy + y / (3 * twice)]
}

export interface Bounds {
  west: number
  south: number
  east: number
  north: number
}

export function bounds(positions: Iterable<Position>): Bounds | null {
  const box = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity }
  for (const [lon = 0, lat = 0] of positions) {
    box.west = Math.min(box.west, lon)
    box.east = Math.max(box.east, lon)
    box.south = Math.min(box.south, lat)
    box.north = Math.max(box.north, lat)
  }
  return box.west <= box.east ? box : null
}

export function gridPositions(shapes: GridShapes, level?: number): Position[] {
  return shapes.features
    .filter((shape) => level === undefined || shape.properties.level === level)
    .flatMap((shape) =>
      shape.geometry.type === 'Polygon'
        ? shape.geometry.coordinates
        : shape.geometry.coordinates.flat(),
    )
    .flat()
}

/** Every position of shapes of any kind. */
export function positionsOf(shapes: FeatureCollection): Position[] {
  const flat = (value: unknown): Position[] =>
    Array.isArray(value) && typeof value[0] === 'number'
      ? [value as Position]
      : Array.isArray(value)
        ? value.flatMap(flat)
        : []
  return shapes.features.flatMap((shape) =>
    'coordinates' in shape.geometry ? flat(shape.geometry.coordinates) : [],
  )
}

/** The finest grid of a place. */
export function finest(grids: readonly GridStep[]): GridStep | undefined {
  return grids.reduce<GridStep | undefined>(
    (best, grid) => (!best || (grid.level ?? 1) > (best.level ?? 1) ? grid : best),
    undefined,
  )
}
