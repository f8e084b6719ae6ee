/** The live view of a camera: asked for, and its pictures one by one. */

import type { Codes } from '../coded'
import type { OrderState } from './orders'
import { answerTo, request, whole, withQuery } from './http'

export interface Live {
  camera: string
  order: string
  state: OrderState
  why: string
  coded?: Codes
  until: string
  per_s: number
  lookers: number
}

export interface LivePicture {
  number: number
  at: string
  sight: string
  picture: Blob
}

/** Begin to look, or go on. */
export function watchLive(camera: string): Promise<Live> {
  return request('POST', `/api/cameras/${camera}/live`)
}

/** The next picture after number `after`; null when none has come for ten seconds. */
export async function livePicture(
  camera: string,
  after: number,
  signal: AbortSignal,
): Promise<LivePicture | null> {
  const path = withQuery(`/api/cameras/${camera}/live`, { after })
  const answer = await answerTo('GET', path, undefined, signal)
  if (answer.status === 204) return null
  return {
    number: Number(answer.headers.get('X-Number')),
    at: answer.headers.get('X-Taken-At') ?? '',
    sight: answer.headers.get('X-Sight') ?? 'ok',
    picture: await whole(path, answer.blob()),
  }
}
