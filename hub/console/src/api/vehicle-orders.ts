/** Orders to a vehicle's terminal, and who drives. */

import type { Codes } from '../coded'
import { get, type Page, request } from './http'

export type OrderState =
  | 'queued'
  | 'sent'
  | 'accepted'
  | 'done'
  | 'failed'
  | 'expired'
  | 'unknown'

export interface VehicleOrder {
  id: string
  op: string
  state: OrderState
  why: string
  coded?: Codes
  by: string
  made_at: string
  valid_until: string
  answered_at: string | null
  args: Record<string, unknown> | null
  out: Record<string, unknown> | null
  /** Photographs that it asked for; `url` is null until they are here. */
  evidence?: { url: string | null; sha256: string; at?: string | null }[]
}

export interface DriverCard {
  at: string
  inserted: boolean
  read: string
  name: string
  certificate: string | null
  issuer: string
  expires_on: string
  present: boolean
}

const OPEN: readonly OrderState[] = ['queued', 'sent', 'accepted']

export function isWaiting(order: VehicleOrder): boolean {
  return OPEN.includes(order.state)
}

const path = (vehicle: string, list: string) =>
  `/api/vehicles/${encodeURIComponent(vehicle)}/${list}`

/** The operations this person may order of the vehicle; none of a vehicle without a terminal. */
export async function allowedOps(vehicle: string): Promise<Set<string>> {
  const page = await get<Page<{ op: string; allowed: boolean }>>(path(vehicle, 'ops'))
  return new Set(page.items.filter((item) => item.allowed).map((item) => item.op))
}

export async function vehicleOrders(vehicle: string, limit: number): Promise<VehicleOrder[]> {
  return (await get<Page<VehicleOrder>>(path(vehicle, 'orders'), { limit })).items
}

export function orderOf(
  vehicle: string,
  op: string,
  args: Record<string, unknown>,
): Promise<VehicleOrder> {
  return request('POST', path(vehicle, 'orders'), { op, args })
}

/** The card that was last put in or taken out. */
export async function lastCard(vehicle: string): Promise<DriverCard | null> {
  return (await get<Page<DriverCard>>(path(vehicle, 'drivers'), { limit: 1 })).items[0] ?? null
}
