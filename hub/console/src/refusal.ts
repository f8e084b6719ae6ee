/**
 * What the hub refuses, in the reader's language: a sentence for its code, and beside it the hub's
 * own words, which name the thing, its place and what is allowed.
 */

import type { Coded, Codes } from './coded'
import { asks, remedyZh, zhProblems, zhWords } from './i18n/zh-problems'
import { settings } from './store/settings'

interface Refusal {
  code: string
  message: string
  /** What is allowed; empty where nothing is said of it. */
  remedy: string
}

interface Body {
  error?: { code?: string; message?: string; allowed?: string; coded?: Codes }
}

/** The code of an answer that refuses, and what people are told of it. */
export async function refusalOf(
  answer: Response,
  body: unknown,
): Promise<{ code: string; text: string }> {
  const { code = '', message = '', allowed = '', coded = {} } = (body as Body | null)?.error ?? {}
  const said = await sayingOf(coded)
  const what = said(coded['message']) ?? (message || `${answer.status} ${answer.statusText}`)
  return { code, text: refusalText({ code, message: what, remedy: said(coded['allowed']) ?? allowed }) }
}

/** The sentences in Chinese are fetched when the first is to be said. */
async function sayingOf(coded: Codes): Promise<(sentence?: Coded) => string | undefined> {
  if (settings.language !== 'zh' || !Object.keys(coded).length) return () => undefined
  const page = await import('./coded').catch(() => null)
  return (sentence) => sentence && page?.codedText(sentence)
}

export function refusalText({ code, message, remedy }: Refusal): string {
  if (settings.language !== 'zh') return remedy ? `${message} (allowed: ${remedy})` : message
  const told = message.replace(/[a-z]+(_[a-z]+)*/g, (word) => zhWords[word] ?? word)
  const problem = zhProblems[code] ?? ''
  const isSaid = asks(remedy) && asks(problem)
  const own = [!problem.startsWith(told) && told, remedy && !isSaid && remedyZh(remedy)].filter(Boolean).join('；')
  return `${problem || zhProblems['error']}${own && `（${own}）`}`
}

/** What would fit, beside a fault of a table. */
export function remedyText(remedy: string): string {
  return settings.language === 'zh' ? remedyZh(remedy) : `Allowed: ${remedy}`
}
