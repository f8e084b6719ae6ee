/** People, API keys, webhooks and the history of every act, for administrators. */

import type { Codes } from '../coded'
import { get, type Page, type Query, request } from './http'
import { tableFile, type TableFormat } from './tables'
import type { Post, Right, Role } from './session'

export interface Person {
  name: string
  version: string
  display_name: string
  phone: string
  posts: Post[]
  must_change: boolean
  has_password: boolean
  single_sign_on: boolean
  disabled_at: string | null
  created_at: string
  password_at: string | null
  seen_at: string | null
}

/** `password`: to log in with once; shown this one time. */
export type MadePerson = Person & { password: string }

export interface OpenSession {
  id: string
  opened_at: string
  seen_at: string
  expires_at: string
  address: string
  agent: string
  here: boolean
}

export interface RoleRights {
  role: Role
  rights: Right[]
}

export interface ApiKey {
  name: string
  role: Role
  created_at: string
  grids: string[]
  expires_at: string | null
  used_at: string | null
}

export const TOPICS = [
  'alert.new',
  'alert.decided',
  'case.opened',
  'case.moved',
  'case.overdue',
  'case.dual_report',
  'case.supervision',
  'report.received',
  'report.answered',
] as const
export type Topic = (typeof TOPICS)[number]

export interface WebhookBody {
  name: string
  url: string
  topics: Topic[]
  grid: string | null
  template: string
}

/** `waiting`: messages not sent yet; `dead`: given up. */
export interface Webhook extends WebhookBody {
  id: number
  made_at: string
  made_by: string
  paused_at: string | null
  waiting: number
  dead: number
}

export type MadeWebhook = Webhook & { secret: string }

export interface Delivery {
  id: number
  topic: string
  made_at: string
  attempts: number
  next_at: string | null
  sent_at: string | null
  status: number | null
  fault: string
  coded?: Codes
}

export interface Act {
  number: number
  at: string
  actor: string
  role: string
  kind: string
  subject: string
  called: string
  action: string
  from_state: string
  to_state: string
  note: string
  hash: string
  coded?: Codes
}

export interface Chain {
  whole: boolean
  entries: number
  broken: number
  faults: string[]
  checked_at: string
  took_s: number
}

const personPath = (name: string) => `/api/users/${encodeURIComponent(name)}`

export function people(query: Query): Promise<Page<Person>> {
  return get('/api/users', query)
}

export function person(name: string): Promise<Person> {
  return get(personPath(name))
}

export function addPerson(wanted: {
  name: string
  display_name: string
  phone: string
  posts: Post[]
}): Promise<MadePerson> {
  return request('POST', '/api/users', wanted)
}

export function changePerson(
  { name, version }: Person,
  changes: { display_name?: string; phone?: string; posts?: Post[]; disabled?: boolean },
): Promise<Person> {
  return request('PATCH', personPath(name), { ...changes, version })
}

export function resetPassword(name: string): Promise<MadePerson> {
  return request('POST', `${personPath(name)}/password`)
}

export async function sessionsOf(name: string): Promise<OpenSession[]> {
  return (await get<Page<OpenSession>>(`${personPath(name)}/sessions`)).items
}

export function unbind(name: string): Promise<Person> {
  return request('DELETE', `${personPath(name)}/single-sign-on`)
}

export function endSessions(name: string): Promise<{ ended: number }> {
  return request('DELETE', `${personPath(name)}/sessions`)
}

export async function roles(): Promise<RoleRights[]> {
  return (await get<Page<RoleRights>>('/api/roles')).items
}

export async function apiKeys(): Promise<ApiKey[]> {
  return (await get<Page<ApiKey>>('/api/tokens')).items
}

export function addApiKey(wanted: {
  name: string
  role: Role
  grids: string[]
  expires_at: string | null
}): Promise<{ name: string; token: string }> {
  return request('POST', '/api/tokens', wanted)
}

export function revokeApiKey(name: string): Promise<void> {
  return request('DELETE', `/api/tokens/${encodeURIComponent(name)}`)
}

export async function webhooks(): Promise<Webhook[]> {
  return (await get<Page<Webhook>>('/api/webhooks')).items
}

export function addWebhook(wanted: WebhookBody): Promise<MadeWebhook> {
  return request('POST', '/api/webhooks', wanted)
}

export function changeWebhook(id: number, wanted: WebhookBody): Promise<Webhook> {
  return request('PUT', `/api/webhooks/${id}`, wanted)
}

export function renewSecret(id: number): Promise<MadeWebhook> {
  return request('POST', `/api/webhooks/${id}/secret`)
}

export function pauseWebhook(id: number, paused: boolean): Promise<Webhook> {
  return request('PUT', `/api/webhooks/${id}/pause`, { paused })
}

export function removeWebhook(id: number): Promise<void> {
  return request('DELETE', `/api/webhooks/${id}`)
}

export function testWebhook(id: number): Promise<Webhook> {
  return request('POST', `/api/webhooks/${id}/test`)
}

export function deliveries(id: number, limit: number, offset: number): Promise<Page<Delivery>> {
  return get(`/api/webhooks/${id}/messages`, { limit, offset })
}

export function sendAgain(id: number, message: number): Promise<Webhook> {
  return request('POST', `/api/webhooks/${id}/messages/${message}/again`)
}

export function acts(query: Query): Promise<Page<Act>> {
  return get('/api/audit', query)
}

export function actsFile(query: Query, format: TableFormat): string {
  return tableFile('/api/audit-table', format, query)
}

export function auditWords(): Promise<{ kinds: string[]; actions: string[] }> {
  return get('/api/audit/words')
}

export function chain(): Promise<Chain> {
  return get('/api/audit/chain')
}
