/** GCJ-02, only where a base map is drawn in it: what lies on such tiles is moved with them. */

import type { GeoJSON, Position } from 'geojson'

export type Shift = (lon: number, lat: number) => [number, number]

const A = 6378245
const EE = 0.006693421622965943
const RAD = Math.PI / 180

export const unmoved: Shift = (lon, lat) => [lon, lat]

function waves(x: number): number {
  return (20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI)) * (2 / 3)
}

/** WGS-84 to GCJ-02, within centimetres; places outside China stay. */
export const toGcj02: Shift = (lon, lat) => {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat]
  const x = lon - 105
  const y = lat - 35
  const root = Math.sqrt(Math.abs(x))
  const north =
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves(x) +
    (20 * Math.sin(y * Math.PI) + 40 * Math.sin((y / 3) * Math.PI)) * (2 / 3) +
    (160 * Math.sin((y / 12) * Math.PI) + 320 * Math.sin((y * Math.PI) / 30)) * (2 / 3)
  const east =
    300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves(x) +
    (20 * Math.sin(x * Math.PI) + 40 * Math.sin((x / 3) * Math.PI)) * (2 / 3) +
    (150 * Math.sin((x / 12) * Math.PI) + 300 * Math.sin((x / 30) * Math.PI)) * (2 / 3)
  const sine = Math.sin(lat * RAD)
  const magic = 1 - EE * sine * sine
  const meridian = ((A * (1 - EE)) / (magic * Math.sqrt(magic))) * RAD
  const parallel = (A / Math.sqrt(magic)) * Math.cos(lat * RAD) * RAD
  return [lon + east / parallel, lat + north / meridian]
}

/** Back to WGS-84: the place whose shifted one this is. */
export function unshift(shift: Shift, lon: number, lat: number): [number, number] {
  let [x, y] = [lon, lat]
  for (let turn = 0; turn < 3; turn++) {
    const [sx, sy] = shift(x, y)
    x += lon - sx
    y += lat - sy
  }
  return [x, y]
}

/** Shapes with every position shifted; the same ones where nothing is. */
export function shifted(data: GeoJSON, shift: Shift): GeoJSON {
  if (shift === unmoved) return data
  const move = (value: unknown): unknown =>
    Array.isArray(value)
      ? typeof value[0] === 'number'
        ? shift(...(value as [number, number]))
        : value.map(move)
      : value
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk)
    if (part === null || typeof part !== 'object') return part
    return Object.fromEntries(
      Object.entries(part).map(([name, value]) => [
        name,
        name === 'coordinates' ? move(value as Position) : name === 'properties' ? value : walk(value),
      ]),
    )
  }
  return walk(data) as GeoJSON
}
