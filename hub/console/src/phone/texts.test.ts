import { describe, expect, it, vi } from 'vitest'

import { titleOf } from './texts'

const settings = vi.hoisted(() => ({ language: 'en' }))
vi.mock('../store/settings', () => ({ settings }))
vi.mock('../time', () => ({ siteZone: { value: 'Asia/Shanghai' } }))

const matter = { name_zh: 'XX', name_en: 'Exposed garbage' }

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
