import { describe, expect, it, vi } from 'vitest'

import { deadline, titleOf } from './texts'

const settings = vi.hoisted(() => ({ language: 'en' }))
vi.mock('../store/settings', () => ({ settings }))
vi.mock('../time', () => ({ siteZone: { value: 'Asia/Shanghai' } }))

const matter = { name_zh: 'XX', name_en: 'Exposed garbage' }

describe('how long a case has', () => {
  it('is what is left, or how late it is', () => {
    settings.language = 'en'
    const due = (ms: number) => ({ clock: { due_at: new Date(Date.now() + ms).toISOString() } })
    expect(deadline(due(3.5 * 3_600_000) as never)).toEqual({ text: '3 hrs left', late: false })
    expect(deadline(due(-50 * 3_600_000) as never)).toEqual({ text: '2 days overdue', late: true })
    expect(deadline({ clock: null } as never).late).toBe(false)
  })
})

describe('what a case is about', () => {
  it('is said in the language of the phone, where its matter has a name in it', () => {
    const title = `${matter.name_zh} · 12 Xing'an Road`
    settings.language = 'en'
    expect(titleOf({ title, matter })).toBe("Exposed garbage · 12 Xing'an Road")
    expect(titleOf({ title, matter: { ...matter, name_en: '' } })).toBe(title)
    expect(titleOf({ title, matter: null })).toBe(title)
    settings.language = 'zh'
    expect(titleOf({ title, matter })).toBe(title)
  })
})
