import type { zhAdmin } from './zh-admin'

export const enAdmin: Record<keyof typeof zhAdmin, string> = {
  'nav.groupAdmin': 'Administration',
  'app.problem': '{what} (allowed: {allowed})',
  'pager.label': 'Pages of the list',
  'pager.previous': 'Previous page',
  'pager.next': 'Next page',
  'pager.part': '{from}–{to} of {total}',
}
