import type { Feature } from 'geojson'

import { get, type Page, request } from './http'

export interface Permit {
  number: string
  version: number
  since: string
  actor: string
  valid_today: boolean
  loading_name: string
  dump_name: string
  permit: {
    vehicles: string[]
    loading_site: string
    dump_site: string
    valid_from: string
    valid_until: string
    hours: [string, string][]
    route: [number, number][]
    half_width_m: number
  }
}

export interface PermitDetail extends Permit {
  loading: Feature | null
  dump: Feature | null
}

export function permits(q: string, offset: number, limit: number): Promise<Page<Permit>> {
  return get('/api/permits', { q, offset, limit })
}

export function permit(number: string): Promise<PermitDetail> {
  return get(`/api/permits/${encodeURIComponent(number)}`)
}

export function importPermits(
  file: Blob,
  datum: string,
): Promise<{ imported: number; changed: number }> {
  return request('POST', `/api/permits?datum=${datum}`, file)
}
