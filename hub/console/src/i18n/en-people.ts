import type { zhPeople } from './zh-people'

export const enPeople: Record<keyof typeof zhPeople, string> = {
  'role.collector': 'collector',
  'role.handler': 'handler',
  'login.name': 'User name',
  'login.password': 'Password',
  'login.byToken': 'Use an access token instead',
  'login.byPassword': 'Use a user name and password instead',
  'login.wrongPassword': 'The user name or the password is wrong.',
  'login.tooOften': 'Too many attempts. Try again in {seconds} s.',
  'login.people': 'The administrator opens accounts, and resets a forgotten password.',
  'login.sso': 'Single sign-on',
  'password.title': 'Choose your own password',
  'password.first':
    'This is your first login, or the administrator has reset your password: choose one that only you know.',
  'password.old': 'Present password',
  'password.new': 'New password',
  'password.again': 'Once more',
  'password.rule':
    'At least 12 characters; capitals and signs are not needed. Four unrelated words are good.',
  'password.differ': 'The two are not the same.',
  'password.save': 'Save and go on',
  'password.wrongOld': 'The present password is wrong.',
  'password.weak': 'This password is easily guessed: {reason}',
}
