/** Every text of the console, in the operator's language. */

import { settings } from '../store/settings'
import { length, span } from '../time'
import { en } from './en'
import { zh } from './zh'

export type Key = keyof typeof zh
const TEXTS = { zh, en } as const

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return TEXTS[settings.language][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  )
}

export function isKey(key: string): key is Key {
  return key in zh
}

/** The text of a word the hub chose (`state.filed`), or the word itself when it is new to us. */
export function word(group: string, name: string): string {
  const key = `${group}.${name}`
  return isKey(key) ? t(key) : name.replaceAll('_', ' ')
}

/** Why a step is not allowed, as the hub says it, in the operator's language where we know it. */
export function reasonText(reason: string): string {
  const role = /needs the role (\w+)/.exec(reason)?.[1]
  if (role) return t('reason.role', { role: word('role', role) })
  return /may not judge/.test(reason) ? t('reason.handled') : reason
}

export function spanText(ms: number): string {
  const { count, unit } = span(ms)
  return t(`span.${unit}`, { n: count })
}

/** How long something took. */
export function lengthText(ms: number): string {
  const { count, unit } = length(ms)
  return t(`span.${unit}`, { n: count })
}

/** A time limit as the city's table writes it: 4 工作时. */
export function limitText(limit: { number: number; unit: string }): string {
  return t('clock.limit', { n: limit.number, unit: word('unit', limit.unit) })
}

export function agoText(at: string, now: number): string {
  const ms = now - Date.parse(at)
  return ms < 5000 ? t('span.now') : t('span.ago', { span: spanText(ms) })
}

export function matterName(item: {
  matter: { name_zh: string; name_en: string } | null
  label?: string
}): string {
  if (item.matter)
    return (
      (settings.language === 'zh' ? item.matter.name_zh : item.matter.name_en) ||
      item.matter.name_zh
    )
  return item.label ? word('label', item.label) : t('app.unknown')
}
