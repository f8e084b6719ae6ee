/** What people are called; history, events and lists name them by their login. */

import { type Page, request } from './http'

export function names(logins: readonly string[]): Promise<Page<{ login: string; name: string }>> {
  const asked = new URLSearchParams(logins.map((login) => ['login', login]))
  return request('GET', `/api/names?${asked}`)
}
