import { describe, expect, it, vi } from 'vitest'

import { ApiError } from './api/http'
import { problemText } from './problem'
import { refusalOf } from './refusal'

const settings = vi.hoisted(() => ({ language: 'zh' }))
vi.mock('./store/settings', () => ({ settings }))
vi.mock('./i18n', () => ({ t: (key: string) => key, isKey: () => false }))

const stale = new ApiError(409, 'stale', 'case 7 was changed since', 'look again')

describe('what the hub refuses', () => {
  it('is said in Chinese, with the hub’s own words beside it', () => {
    settings.language = 'zh'
    expect(problemText(stale)).toMatch(
      /^\p{Script=Han}.*。（case 7 was changed since；\p{Script=Han}+：look again）$/u,
    )
  })

  it('names in Chinese what speaks against a photo', () => {
    settings.language = 'zh'
    const refused = new ApiError(422, 'photo_refused', 'photo 3: too_far, too_old', '')
    expect(problemText(refused)).toMatch(/（photo 3: \p{Script=Han}+, \p{Script=Han}+）$/u)
  })

  it('is said in the hub’s words where these are read', () => {
    settings.language = 'en'
    expect(problemText(stale)).toBe('case 7 was changed since (allowed: look again)')
  })

  it('keeps the words of a code that is new to this page, or of something before the hub', () => {
    settings.language = 'zh'
    expect(problemText(new ApiError(502, 'unknown', '502 Bad Gateway'))).toMatch(
      /^\p{Script=Han}.*。（502 Bad Gateway）$/u,
    )
  })

  it('is said in Chinese on the phone and the public page too', async () => {
    settings.language = 'zh'
    const gone = { text: 'case 7 was changed since', code: 'case_changed_since', values: { number: '7' } }
    const error = { code: 'stale', message: gone.text, allowed: '', coded: { message: gone } }
    const { text } = await refusalOf(new Response(null, { status: 409 }), { error })
    expect(text).toMatch(/（\p{Script=Han}+ 7 \p{Script=Han}+）$/u)
  })
})
