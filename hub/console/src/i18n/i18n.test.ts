import { describe, expect, it } from 'vitest'

import { STAGES, STATES } from '../api/cases'
import { en } from './en'
import { enPhone } from './en-phone'
import { enPublic } from './en-public'
import { zh } from './zh'
import { zhPhone } from './zh-phone'
import { zhPublic } from './zh-public'
import words from '../../../words/zh.json'

const keys = Object.keys(zh)
const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).toSorted().join()

const files = import.meta.glob<string>(['../**/*.{ts,vue}', '!./*'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const sources = Object.values(files)
const SMALL = /^\.\.\/(public|phone|street)\//
const pages = Object.entries(files).flatMap(([path, text]) => (SMALL.test(path) ? [] : [text]))

describe('the texts', () => {
  it('have the same keys in both languages', () => {
    expect(Object.keys(en).toSorted()).toEqual(keys.toSorted())
  })

  it('are written in both languages, with the same places', () => {
    const wrong = (Object.keys(zh) as (keyof typeof zh)[]).filter(
      (key) => !en[key].trim() || !zh[key].trim() || places(en[key]) !== places(zh[key]),
    )
    expect(wrong).toEqual([])
  })

  it('stand in one place each, those of the hub with the hub', () => {
    const here = import.meta.glob<string>('./zh*.ts', {
      query: '?raw',
      import: 'default',
      eager: true,
    })
    const twice = Object.entries(here).flatMap(([file, text]) =>
      file.match(/phone|public|coded|problems/)
        ? []
        : Object.keys(words).filter((key) => text.includes(`'${key}':`)),
    )
    expect(twice).toEqual([])
  })

  it('are not written into pages', () => {
    const han = sources.flatMap((text) => text.match(/^.*\p{Script=Han}.*$/gmu) ?? [])
    expect(han.filter((line) => !/^\s*(\/\/|\/?\*|<!--)/.test(line))).toEqual([])
  })

  it('of the small pages are written in both languages, with the same places', () => {
    for (const [one, other] of [
      [zhPublic, enPublic],
      [zhPhone, enPhone],
    ] as Record<string, string>[][]) {
      const names = Object.keys(one ?? {})
      expect(Object.keys(other ?? {}).toSorted()).toEqual(names.toSorted())
      const wrong = names.filter(
        (name) => !other?.[name]?.trim() || places(other[name]) !== places(one?.[name] ?? ''),
      )
      expect(wrong).toEqual([])
    }
  })

  it('include every key that the code asks for', () => {
    const asked = pages.flatMap((text) =>
      [...text.matchAll(/\bt\('([\w.]+)'/g)].map((hit) => hit[1]),
    )
    expect(asked.length).toBeGreaterThan(50)
    expect(asked.filter((key) => !keys.includes(key ?? ''))).toEqual([])
  })

  it('name every state and stage of a case', () => {
    const wanted = [
      ...STATES.map((state) => `state.${state}`),
      ...STAGES.map((stage) => `stage.${stage}`),
    ]
    expect(wanted.filter((key) => !keys.includes(key))).toEqual([])
  })
})
