import { get, type Page } from './http'
import { tableFile, type TableFormat } from './tables'
import type { TrackPoint } from './vehicles'

export interface DaySpan {
  start: string
  end: string
  duration_s: number
}

export interface DayStop extends DaySpan {
  lat: number
  lon: number
}

export interface DayTrip extends DayStop {
  distance_km: number
  top_kmh: number
}

export type Fact = string | number | boolean | null

export interface VehicleEvent {
  id: number
  vehicle: string
  kind: string
  subject: string
  start: string
  end: string
  over: boolean
  lat: number
  lon: number
  certainty: number
  facts: Record<string, Fact>
  late: boolean
  superseded_at: string | null
  alert: string | null
}

export interface VehicleDay {
  vehicle: string
  plate: string
  date: string
  start: string
  end: string
  until: string
  positions: number
  located: number
  doubts: Record<string, number>
  distance_km: number
  trips: DayTrip[]
  stops: DayStop[]
  idle: DayStop[]
  driving_s: number
  standing_s: number
  idle_s: number
  known_s: number
  unknown_s: number
  unknown: DaySpan[]
  events: VehicleEvent[]
  superseded: number
}

/** A point of a stretch of track. */
export interface WayPoint {
  at: string
  lat: number
  lon: number
  speed_kmh: number | null
}

/** What shows a vehicle's alert. */
export interface Stretch {
  vehicle: string
  kind: string
  subject: string
  start: string
  end: string
  certainty: number
  facts: Record<string, Fact>
  points: WayPoint[]
}

/** A truck that stood near what a camera saw: a lead, no verdict. */
export interface Lead {
  vehicle: string
  plate: string
  start: string
  end: string
  stood_s: number
  distance_m: number
  lat: number
  lon: number
  track: WayPoint[]
  load_before: string | null
  load_after: string | null
  unloaded: boolean | null
  hopper_raised: boolean | null
}

export interface Leads {
  last_clean: string
  first_dirty: string
  clean_at: string | null
  basis: string
  radius_m: number
  items: Lead[]
  total: number
}

function address(vehicle: string, date: string): string {
  return `/api/vehicles/${encodeURIComponent(vehicle)}/days/${date}`
}

export function vehicleDay(vehicle: string, date: string): Promise<VehicleDay> {
  return get(address(vehicle, date))
}

export function dayFile(vehicle: string, date: string, format: TableFormat): string {
  return tableFile(`${address(vehicle, date)}/file`, format)
}

/** The track of a day, thinned to within three metres, oldest first. */
export async function dayTrack(day: VehicleDay): Promise<TrackPoint[]> {
  const page = await get<Page<TrackPoint>>(
    `/api/vehicles/${encodeURIComponent(day.vehicle)}/track`,
    { from: day.start, to: day.end, thin_m: 3, limit: 10_000 },
  )
  return page.items
}

export function stretch(alert: string): Promise<Stretch> {
  return get(`/api/alerts/${alert}/track`)
}

export function trucksNear(alert: string, radius_m: number): Promise<Leads> {
  return get(`/api/alerts/${alert}/trucks-near`, { radius_m })
}
