/** Where vehicles are, as the stream tells it: short rows, of what is known otherwise. */

import type { Vehicle } from '../api/vehicles'

/** Vehicle, ms UTC, WGS-84 latitude and longitude, km/h, degrees from north. */
export type Position = [string, number, number, number, number | null, number | null]

/** The vehicle where it is now: whoever sends a position is online. */
export function placed(vehicle: Vehicle, row: Position): Vehicle {
  const [, atMs, lat, lon, speed_kmh, heading_deg] = row
  const at = new Date(atMs).toISOString()
  return { ...vehicle, at, lat, lon, speed_kmh, heading_deg, online: true }
}
