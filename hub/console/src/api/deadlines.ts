import { get, request } from './http'

/** Whether one has a calendar address. */
export interface Feed {
  made_at: string | null
  used_at: string | null
}

export function fetchFeed(): Promise<Feed> {
  return get('/api/deadlines')
}

/** Make an address; an earlier one ends. */
export function makeFeed(): Promise<Feed & { url: string }> {
  return request('POST', '/api/deadlines')
}

export function endFeed(): Promise<unknown> {
  return request('DELETE', '/api/deadlines')
}
