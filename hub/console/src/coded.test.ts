import { describe, expect, it, vi } from 'vitest'

import { codedText, said } from './coded'
import { word } from './i18n'
import zhCoded from '../../words/zh-coded.json'

const settings = vi.hoisted(() => ({ language: 'zh' }))
vi.mock('./store/settings', () => ({ settings }))

const row = { text: 'row 7', code: 'row', values: { row: 7 } }
const twice = {
  text: "'A-1' is in row 7 already",
  code: 'already_in',
  values: { given: 'A-1', where: row },
}

describe('a sentence with a code', () => {
  it('is said in Chinese, with what stands in it, said so too', () => {
    settings.language = 'zh'
    expect(codedText(row)).toMatch(/^\p{Script=Han} 7 \p{Script=Han}$/u)
    expect(codedText(twice)).toBe(
      zhCoded.sentences.already_in.replace('{given}', 'A-1').replace('{where}', codedText(row)),
    )
  })

  it('calls columns as a city does, and leaves those it does not know', () => {
    settings.language = 'zh'
    const empty = (column: string) =>
      codedText({ text: `${column} is empty`, code: 'column_empty', values: { column } })
    expect(empty('role')).not.toMatch(/role/)
    expect(empty('radius_m')).toMatch(/radius_m/)
  })

  it('says words of the hub as the console does, and moments by the clock of the site', () => {
    settings.language = 'zh'
    const text = codedText({
      text: '-',
      code: 'step_illegal',
      values: { number: 'A-7', state: 'filed', action: 'close', possible: 'dispatch, cancel' },
    })
    expect(text).toContain(`“${word('state', 'filed')}”`)
    expect(text).toContain(`${word('action', 'dispatch')}, ${word('action', 'cancel')}`)
    const due = { number: 'A-7', due: '2026-11-30T01:30:00+00:00' }
    expect(codedText({ text: '-', code: 'was_due', values: due })).toContain('09:30')
    const gone = { thing: 'vehicle', name: 'odd_name' }
    expect(codedText({ text: '-', code: 'no_such', values: gone })).toMatch(/^\p{Script=Han}+ odd_name$/u)
  })

  it('stays as it came where English is read, or where its code is new to this page', () => {
    settings.language = 'en'
    expect(codedText(twice)).toBe(twice.text)
    settings.language = 'zh'
    expect(codedText({ ...twice, code: 'of_tomorrow' })).toBe(twice.text)
  })

  it('stands beside texts without a code', () => {
    settings.language = 'zh'
    const fault = { message: 'as it is', allowed: 'a row', coded: { allowed: row } }
    expect(said(fault, 'message')).toBe('as it is')
    expect(said(fault, 'allowed')).toBe(codedText(row))
  })
})
