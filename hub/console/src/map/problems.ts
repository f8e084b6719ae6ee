/** What is wrong with grids, as shapes on the map. */

import type { Feature, FeatureCollection, Geometry, Position } from 'geojson'

import type { GridProblem } from '../api/grid-imports'

/** Tones of the map's own shapes: what is chosen, a border at fault, a grid at fault, the file. */
type Tone = 'now' | 'event' | 'dump' | 'stop'

function isPosition(value: unknown): value is Position {
  return (
    Array.isArray(value) &&
    typeof value[0] === 'number' &&
    typeof value[1] === 'number' &&
    Math.abs(value[0]) <= 180 &&
    Math.abs(value[1]) <= 90
  )
}

function isRing(value: unknown): value is Position[] {
  return Array.isArray(value) && value.length > 2 && value.every(isPosition)
}

/** The polygons of a geometry as far as they can be drawn, valid or not. */
export function polygonsOf(geometry: unknown): Position[][][] {
  const { type, coordinates, geometries } = (geometry ?? {}) as Record<string, unknown>
  if (type === 'GeometryCollection' && Array.isArray(geometries))
    return geometries.flatMap(polygonsOf)
  const parts = type === 'MultiPolygon' ? coordinates : type === 'Polygon' ? [coordinates] : []
  if (!Array.isArray(parts)) return []
  return parts.flatMap((part: unknown) => {
    const rings = Array.isArray(part) ? part.filter(isRing) : []
    return rings.length > 0 ? [rings] : []
  })
}

/** The geometries of a file, feature by feature; nothing for what is no document of grids. */
export function geometriesOf(text: string): unknown[] {
  try {
    const features = (JSON.parse(text) as { features?: unknown }).features
    return Array.isArray(features)
      ? features.map((one) => (one as { geometry?: unknown } | null)?.geometry)
      : []
  } catch {
    return []
  }
}

function drawn(geometry: Geometry, tone: Tone): Feature {
  return { type: 'Feature', geometry, properties: { tone } }
}

const areas = (polygons: Position[][][], tone: Tone): Feature[] =>
  polygons.map((coordinates) => drawn({ type: 'Polygon', coordinates }, tone))

/** Where a problem is: the overlap or gap itself, else the grid that has it. */
export function placeOf(problem: GridProblem, geometries: readonly unknown[]): Position[][][] {
  if (problem.shape) return polygonsOf(problem.shape)
  return problem.feature === null ? [] : polygonsOf(geometries[problem.feature])
}

/** The file's grids as outlines, every problem as an area, the chosen one on top. */
export function problemShapes(
  geometries: readonly unknown[],
  problems: readonly GridProblem[],
  chosen: GridProblem | null,
): FeatureCollection {
  const outlines = geometries
    .flatMap(polygonsOf)
    .map((coordinates) => drawn({ type: 'MultiLineString', coordinates }, 'stop'))
  const faults = problems
    .filter((one) => one !== chosen)
    .flatMap((one) => areas(placeOf(one, geometries), one.shape ? 'event' : 'dump'))
  const top = chosen ? areas(placeOf(chosen, geometries), 'now') : []
  return { type: 'FeatureCollection', features: [...outlines, ...faults, ...top] }
}
