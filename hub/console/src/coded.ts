/** Sentences with a code (`wire/coded.py`): English as it came, or said in the reader's language. */

import { isKey, t } from './i18n'
import { settings } from './store/settings'
import { dated } from './time'
import zh from '../../words/zh-coded.json'

/** How the hub's sentences are said in Chinese: the same file as `hub.words` reads. */
const sentences: Record<string, string> = zh.sentences
const columns: Record<string, string> = zh.columns
const things: Record<string, string> = zh.things
/** Values that are words of the hub: the groups of our texts that say them. */
const groups: Record<string, readonly string[]> = zh.groups
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

export interface Coded {
  text: string
  code: string
  values: Record<string, string | number | Coded>
}

/** What the hub says as plain text, and beside it those of the texts that have a code. */
export type WithCodes<Name extends string> = Record<Name, string> & { coded?: Codes }

/** By name, or by place in a list. */
export type Codes = Partial<Record<string, Coded>>

/** One of the texts, in the reader's language where its code is known. */
export function said<Name extends string>(one: WithCodes<Name>, name: Name): string {
  return codedText(one.coded?.[name] ?? one[name])
}

/** Faults that come as a list, each in the reader's language where its code is known. */
export function saidFaults(one: { faults: readonly string[]; coded?: Codes }): string[] {
  return one.faults.map((fault, at) => codedText(one.coded?.[at] ?? fault))
}

export function codedText(given: string | Coded): string {
  if (typeof given === 'string') return given
  const sentence = settings.language === 'zh' ? sentences[given.code] : undefined
  if (sentence === undefined) return given.text
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = given.values[name]
    if (value === undefined) return whole
    if (typeof value === 'object') return codedText(value)
    if (name === 'key') return settingOf(String(value))
    if (name === 'm2') return Number(value).toLocaleString()
    if (name === 'thing') return things[value] ?? String(value)
    if (name in groups) return wordsOf(groups[name] ?? [], String(value))
    if (MOMENT.test(String(value))) return dated(String(value))
    return zh.column_values.includes(name) ? columnOf(String(value)) : String(value)
  })
}

/** One word of the hub or several, by the first group that has it. */
function wordsOf(groups: readonly string[], names: string): string {
  return names.replace(/\w+/g, (name) => {
    const key = groups.map((group) => `${group}.${name}`).find(isKey)
    return key ? t(key) : name
  })
}

/** A setting by its path, called as the editor of zones calls it where that has it. */
function settingOf(full: string): string {
  const path = full.replace(/^(body|query|path)\./, '')
  const key = `zone.${path.split('.').at(-1)}`
  return isKey(key) ? t(key) : columnOf(path)
}

/** Columns by our names are called as the table of a city calls them. */
export function columnOf(names: string): string {
  if (settings.language !== 'zh') return names
  return names.replace(/[a-z_]+/g, (column) => {
    const head = `head.${column}`
    return columns[column] ?? (isKey(head) ? t(head) : column)
  })
}
