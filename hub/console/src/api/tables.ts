/** Tables for a spreadsheet, in the language of whoever takes them out. */

import { settings } from '../store/settings'
import { type Query, withQuery } from './http'

export type TableFormat = 'xlsx' | 'csv'

export function tableFile(path: string, format: TableFormat = 'xlsx', query: Query = {}): string {
  return withQuery(path, { ...query, format, language: settings.language })
}
