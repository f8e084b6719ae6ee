import { afterEach, beforeEach, expect, it, vi } from 'vitest'

vi.mock('../i18n', () => ({
  isKey: (key: string) => key === 'actor.command_line',
  t: (key: string) => key,
}))

const PEOPLE: Record<string, string> = { 'wu.gang': 'Gang', 'li.na': 'Na' }
let asked: string[][] = []
let away = false

function answer(path: string): Promise<Response> {
  const logins = new URL(path, 'http://hub').searchParams.getAll('login')
  asked.push(logins)
  if (away) return Promise.reject(new Error('no line'))
  const items = logins.flatMap((login) => (login in PEOPLE ? [{ login, name: PEOPLE[login] }] : []))
  return Promise.resolve(Response.json({ items, total: items.length }))
}

/** A page that knows nobody yet. */
async function page(): Promise<typeof import('./names')> {
  vi.resetModules()
  return import('./names')
}

beforeEach(() => {
  asked = []
  away = false
  vi.stubGlobal('fetch', answer)
})
afterEach(() => vi.unstubAllGlobals())

it('asks once for all who are shown together, and calls programs by their own names', async () => {
  const { learnedName, personName } = await page()
  expect(['wu.gang', 'li.na', 'wu.gang', 'box-0001'].map(personName)).toEqual([
    'wu.gang', 'li.na', 'wu.gang', 'box-0001',
  ])
  expect(await learnedName('wu.gang')).toBe('Gang')
  expect(['li.na', 'box-0001', ''].map(personName)).toEqual(['Na', 'box-0001', ''])
  expect(asked).toEqual([['wu.gang', 'li.na', 'box-0001']])
})

it('has words of its own for what no person did, and does not ask', async () => {
  const { personName } = await page()
  expect(personName('command line')).toBe('actor.command_line')
  await Promise.resolve()
  expect(asked).toEqual([])
})

it('asks again after a broken line, and for those who may be called differently now', async () => {
  const { forgetNames, learnedName } = await page()
  away = true
  expect(await learnedName('wu.gang')).toBe('wu.gang')
  away = false
  expect(await learnedName('wu.gang')).toBe('Gang')
  PEOPLE['wu.gang'] = 'Wu Gang'
  forgetNames()
  expect(await learnedName('wu.gang')).toBe('Wu Gang')
})
