export const zhAdmin = {
  'nav.groupAdmin': '系统管理',
  'app.problem': '{what}（允许：{allowed}）',
  'pager.label': '翻页',
  'pager.previous': '上一页',
  'pager.next': '下一页',
  'pager.part': '第 {from}–{to} 条，共 {total} 条',
} as const
