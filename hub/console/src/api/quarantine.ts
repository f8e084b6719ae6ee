/** Messages that were refused: why, from whom, and what to do with them. */

import type { Codes } from '../coded'
import { get, type Page, request, withQuery } from './http'

export interface RefusedMessage {
  id: number
  received_at: string
  topic: string
  device: string
  code: string
  message: string
  size: number
  /** Its beginning; bytes that are no text are escaped. */
  raw: string
  can_retry: boolean
  coded?: Codes
}

export interface RefusedWhole extends RefusedMessage {
  hex: string
}

export interface Count {
  name: string
  count: number
}

export interface QuarantineCounts {
  total: number
  oldest: string | null
  newest: string | null
  by_code: Count[]
  by_device: Count[]
}

export interface Which {
  device?: string
  code?: string
}

export function quarantine(
  which: Which,
  limit: number,
  offset: number,
): Promise<Page<RefusedMessage>> {
  return get('/api/quarantine', { ...which, limit, offset })
}

export function quarantineCounts(): Promise<QuarantineCounts> {
  return get('/api/quarantine/counts')
}

export function refusedMessage(id: number): Promise<RefusedWhole> {
  return get(`/api/quarantine/${id}`)
}

export function retryMessage(id: number): Promise<unknown> {
  return request('POST', `/api/quarantine/${id}/retry`)
}

export function deleteMessage(id: number): Promise<unknown> {
  return request('DELETE', `/api/quarantine/${id}`)
}

/** As those of a filter that are deleted, the oldest first; some may be left for another time. */
export function retryMessages(
  which: Which,
  up_to: number,
): Promise<{ taken: number; refused: number; left: number }> {
  return request('POST', withQuery('/api/quarantine/retry', { ...which, up_to }))
}

/** Those of a filter, up to the newest that was seen. */
export function deleteMessages(which: Which, up_to: number): Promise<{ deleted: number }> {
  return request('DELETE', withQuery('/api/quarantine', { ...which, up_to }))
}
