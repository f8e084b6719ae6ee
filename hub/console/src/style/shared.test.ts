import { expect, test } from 'vitest'

const sources = import.meta.glob<string>('../**/*.vue', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** The rules of a sheet as `selector { declarations }`, those in a media query with its name. */
function rulesOf(css: string, inside = ''): string[] {
  const rules: string[] = []
  let at = 0
  for (;;) {
    const open = css.indexOf('{', at)
    if (open < 0) return rules
    let depth = 1
    let end = open + 1
    for (; depth > 0 && end < css.length; end++) {
      if (css[end] === '{') depth++
      if (css[end] === '}') depth--
    }
    const selector = css.slice(at, open).trim().replaceAll(/\s+/g, ' ')
    const body = css.slice(open + 1, end - 1)
    if (selector.startsWith('@media')) rules.push(...rulesOf(body, `${selector} `))
    else if (!selector.startsWith('@'))
      rules.push(`${inside}${selector} { ${body.trim().replaceAll(/\s+/g, ' ')} }`)
    at = end
  }
}

function stylesOf(source: string): string {
  const found = [...source.matchAll(/<style[^>]*>(.*?)<\/style>/gs)]
  return found.map((one) => one[1]).join('\n').replaceAll(/\/\*.*?\*\//gs, '')
}

test('reads rules, also those of media queries', () => {
  expect(rulesOf('a { b: c; }\n@media (x) { d { e: f; } }')).toEqual([
    'a { b: c; }',
    '@media (x) d { e: f; }',
  ])
})

test('a rule of several declarations has one home', () => {
  const homes = new Map<string, string[]>()
  for (const [file, source] of Object.entries(sources))
    for (const rule of new Set(rulesOf(stylesOf(source))))
      homes.set(rule, [...(homes.get(rule) ?? []), file])
  expect(homes.size).toBeGreaterThan(500)
  const repeated = [...homes].filter(
    ([rule, files]) => files.length > 1 && rule.split(';').length > 2,
  )
  expect(repeated, 'move it to style/shared.css, or name what it is').toEqual([])
})
