/** What the hub notes of its own steps, in the reader's words; what people wrote stays as it is. */

import type { CaseStep } from './api/cases'
import { said } from './coded'
import { t, word } from './i18n'

const PHOTO = /^\d+ [0-9a-f]{12} (\S+) ?(.*)$/
const CHECK = /^\d+ (look|visit): (\w+)$/
const LOOK = /^look [0-9a-f]{20,}(?:: (\w+) .*)?$/

export function noteText(step: Pick<CaseStep, 'action' | 'note' | 'coded'>): string {
  const { action, note } = step
  if (step.coded?.note) return said(step, 'note')
  const photo = action.startsWith('photo ') && PHOTO.exec(note)
  if (photo) {
    const [, verdict = '', reasons = ''] = photo
    const said = reasons.split(' ').filter((reason) => /^[a-z_]+$/.test(reason))
    return [word('verdict', verdict), ...said.map((reason) => word('photoReason', reason))].join(' · ')
  }
  const check = action === 'check' && CHECK.exec(note)
  if (check) return `${word('means', check[1] ?? '')} · ${word('answer', check[2] ?? '')}`
  const look = LOOK.exec(note)
  if (look) return look[1] ? `${word('means', 'look')} · ${word('answer', look[1])}` : t('note.look')
  return note
}
