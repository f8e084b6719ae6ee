/** Orders to devices, and the look again that is one of them. */

import type { Codes } from '../coded'
import type { Evidence } from './alerts'
import { get, type Page, request } from './http'

export type OrderState =
  | 'queued'
  | 'sent'
  | 'accepted'
  | 'done'
  | 'failed'
  | 'expired'
  | 'unknown'

export interface OrderNews {
  id: string
  device: string
  op: string
  state: OrderState
  why: string
  coded?: Codes
  about: { kind: string; id: string } | null
}

export interface Order extends OrderNews {
  by: string
  made_at: string
  valid_until: string
  sent_at: string | null
  answered_at: string | null
  args: Record<string, unknown> | null
  out: Record<string, unknown> | null
}

/** `answer` is null while it is awaited; `cannot_tell` is an answer of its own. */
export interface Look {
  order: string
  state: OrderState
  alert: string
  camera: string
  by: string
  asked_at: string
  seconds: number
  answer: 'present' | 'gone' | 'cannot_tell' | null
  confidence: number
  reasons: string[]
  details: string[]
  began_at: string | null
  ended_at: string | null
  looks: number
  clear: number
  hidden: number
  model: string
  evidence: Evidence[]
}

export function isOpen(order: { state: OrderState }): boolean {
  return order.state === 'queued' || order.state === 'sent' || order.state === 'accepted'
}

export function readOrders(about: string, limit = 20, op?: string): Promise<Page<Order>> {
  return get('/api/orders', { about, limit, op })
}

export function giveOrder(
  device: string,
  op: string,
  args: Record<string, unknown>,
): Promise<Order> {
  return request('POST', `/api/devices/${device}/orders`, { op, args })
}

export function readLooks(of: 'alerts' | 'cases', id: string | number): Promise<Page<Look>> {
  return get(`/api/${of}/${id}/looks`)
}

export function lookAgain(
  of: 'alerts' | 'cases',
  id: string | number,
  wanted: { seconds: number; looks: number },
): Promise<Look> {
  return request('POST', `/api/${of}/${id}/look`, wanted)
}
