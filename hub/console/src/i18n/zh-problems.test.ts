import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '../api/http'
import { problemText } from '../problem'

vi.mock('../store/settings', () => ({ settings: { language: 'zh' } }))
vi.mock('.', () => ({ t: (key: string) => key, isKey: () => false }))

describe('a refusal in Chinese', () => {
  it('asks once, and says of what would fit that it does', () => {
    const told = (code: string, remedy: string) => problemText(new ApiError(422, code, 'x', remedy))
    expect(told('stale', '请再看一次')).toBe(told('stale', ''))
    expect(told('decided', '请再看一次')).toMatch(/（x；请再看一次）$/)
    expect(told('stale', '未结的案件')).toMatch(/（x；应为：未结的案件）$/)
    for (const whole of ['须有权限“改配置”', '最多 3 张', '至少 12 个字符', '每行一次'])
      expect(told('stale', whole)).toMatch(new RegExp(`（x；${whole}）$`))
  })

  it('does not say the same twice', () => {
    expect(problemText(new ApiError(422, 'wrong_password', '原密码不对', '请填在用的那个'))).toMatch(
      /^原密码不对[^（]+$/,
    )
  })
})
