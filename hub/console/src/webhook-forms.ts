/** The forms in which messages go out: as a whole, or by a template that a service wants. */

export interface WebhookForm {
  key: 'whole' | 'wecom' | 'dingtalk' | 'sms' | 'person' | 'mail'
  url: string
  template: string
}

export const WEBHOOK_FORMS: readonly WebhookForm[] = [
  { key: 'whole', url: 'https://', template: '' },
  {
    key: 'wecom',
    url: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=',
    template: '{"msgtype": "text", "text": {"content": "${text} ${link}"}}',
  },
  {
    key: 'dingtalk',
    url: 'https://oapi.dingtalk.com/robot/send?access_token=',
    template: '{"msgtype": "text", "text": {"content": "${text} ${link}"}}',
  },
  { key: 'sms', url: 'https://', template: 'mobile=13800000000&content=${text}' },
  { key: 'person', url: 'https://', template: 'mobile=${phone}&content=${person} ${text}' },
  { key: 'mail', url: 'mailto:', template: '' },
]
