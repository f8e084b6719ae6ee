/** Judging alerts: sent in the background, so that the operator is on the next one at once. */

import { reactive } from 'vue'

import { type Alert, decide, type Decision } from '../api/alerts'
import { fileCase } from '../api/cases'
import { ApiError } from '../api/http'
import { t } from '../i18n'
import { problemText } from '../problem'
import { alerts, putAlert, putCase, rereadAlert } from './city'
import { learnConditions } from './conditions'
import { drafts, forget } from './drafts'
import { learnedName, personName } from './names'
import { toast } from './toasts'

/** Ids of alerts of which this page's decision, merge or putting off is on its way. */
export const deciding = reactive(new Set<string>())
/** What went wrong with a decision, by alert. */
export const problems = reactive(new Map<string, string>())

export function noteKey(id: string): string {
  return `alert ${id}`
}

export async function reread(id: string): Promise<void> {
  try {
    await rereadAlert(id)
  } catch {
    // The list's own copy stays; the stream brings the rest.
  }
}

/**
 * Send a decision; never throws: a failure is told and kept in `problems`. `condition`: the one a
 * case is filed under, where its matter has several.
 */
export async function judge(item: Alert, decision: Decision, condition?: number): Promise<void> {
  const { id } = item
  deciding.add(id)
  problems.delete(id)
  try {
    const answer = await decide(id, decision, drafts[noteKey(id)] ?? '')
    forget(noteKey(id))
    putAlert(answer)
    await tellDecided(answer, condition)
  } catch (error) {
    const first = await firstOf(error, id)
    const problem = first || t('alert.notSent', { message: problemText(error) })
    problems.set(id, problem)
    tellOf(id, problem)
  } finally {
    deciding.delete(id)
  }
}

/** A confirmed alert has a case; filing it is the second half of "confirm and file". */
async function tellDecided(answer: Alert, condition?: number): Promise<void> {
  if (answer.decision !== 'confirmed' || !answer.case) {
    toast(t(answer.decision === 'false_alarm' ? 'alert.markedFalse' : 'alert.confirmed'))
    return
  }
  const { id, number } = answer.case
  const link = { to: `/cases/${id}`, text: t('alert.openCase', { number: '' }).trim() }
  try {
    putCase(await fileCase(id, condition))
    toast(t('alert.filed', { number }), 'good', link)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'condition_needed') void learnConditions()
    toast(t('alert.notFiled', { number }), 'bad', link)
  }
}

const joining = (item: Alert) => item.history?.findLast((each) => each.what === 'merge')

/** That an alert was joined to another, and by whom, where its history is known. */
export function joinedBy(item: Alert): string {
  const step = joining(item)
  return step ? t('merge.mergedBy', { who: personName(step.actor) }) : t('merge.merged')
}

export function isSettled(id: string): boolean {
  const now = alerts.get(id)
  return Boolean(now?.duplicate_of || now?.decision)
}

/** Who settled an alert, and how; nothing while it waits. */
export async function firstAt(id: string): Promise<string> {
  const now = alerts.get(id)
  if (now?.duplicate_of) {
    await learnedName(joining(now)?.actor ?? '')
    return joinedBy(now)
  }
  if (!now?.decision) return ''
  const who = now.decided_by ? await learnedName(now.decided_by) : t('app.unknown')
  return t('alert.conflict', { who, what: t(`alert.${now.decision}`) })
}

/** Who was first, where that is why the hub refused; the alert is then as he left it. */
export async function firstOf(error: unknown, id: string): Promise<string> {
  if (!(error instanceof ApiError) || error.status !== 409) return ''
  await reread(id)
  return firstAt(id)
}

/** What was not done with an alert, with a way back to it. */
export function tellOf(id: string, problem: string): void {
  toast(problem, 'bad', { to: `/?alert=${encodeURIComponent(id)}`, text: t('alert.look') })
}
