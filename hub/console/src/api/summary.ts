import { get } from './http'

export interface Site {
  name: string
  lat: number
  lon: number
  zoom: number
  time_zone: string
}

export interface Summary {
  cameras: { total: number; ok: number }
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
