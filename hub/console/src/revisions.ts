/** Where a device's configuration stands, in a sentence. */

import type { RevisionNews } from './api/settings'
import { t } from './i18n'

export type Standing = 'file' | 'refused' | 'applied' | 'waiting'

export function standing(news: RevisionNews | null): { kind: Standing; text: string } | null {
  if (!news) return null
  const values = { wanted: news.wanted ?? 0, reported: news.reported ?? 0 }
  if (news.state === null) return { kind: 'file', text: t('revision.file') }
  if (news.state === 'refused') return { kind: 'refused', text: t('revision.isRefused', values) }
  if (news.state === 'applied') return { kind: 'applied', text: t('revision.isApplied', values) }
  return { kind: 'waiting', text: t(news.sent ? 'revision.isSent' : 'revision.isQueued', values) }
}
