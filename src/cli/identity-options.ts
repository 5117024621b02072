/** Options that several verbs share: as whom a job asks, and which way it goes. */

import type { OptionSpec } from './verbs.ts'

/** Headings under which help shows them. */
export const SERVER = 'What the server gets when it asks who you are'
export const PROXY = 'What the proxy gets when it asks who you are'
export const ROUTE = 'Which way it goes'

/** Schemes that a name and a password answer; what --scheme takes. */
export const schemeWords = ['basic', 'digest', 'ntlm', 'negotiate', 'passport'] as const

/** Credentials for the server, and a certificate. */
export const serverOptions = {
  user: {
    group: SERVER,
    short: 'u',
    value: 'NAME',
    help: 'Your name there: user, DOMAIN\\user or user@REALM; the password is asked for',
  },
  'password-stdin': {
    group: SERVER,
    help: 'Read the password from the first line of standard input instead',
  },
  scheme: {
    group: SERVER,
    value: 'LIST',
    choices: schemeWords,
    isList: true,
    help: 'Answer these schemes only, with commas: basic, digest, ntlm, negotiate, passport',
  },
  implicit: { group: SERVER, help: 'Who is logged on, without a password (ntlm, negotiate)' },
  keytab: {
    group: SERVER,
    value: 'FILE',
    completes: 'file',
    help: 'The Kerberos keys in this file (negotiate), with --principal',
  },
  principal: { group: SERVER, value: 'NAME', help: 'Whose keys or tickets: user@REALM' },
  ccache: {
    group: SERVER,
    value: 'CACHE',
    help: 'The Kerberos tickets in this cache (negotiate): FILE:/tmp/krb5cc_1000',
  },
  'bearer-stdin': {
    group: SERVER,
    help: 'The bearer token in the first line of standard input',
  },
  preemptive: {
    group: SERVER,
    help: 'Say who you are before it asks (basic, a bearer token, negotiate with Kerberos): for a server that lets everybody in and then refuses the file with 403 or 404',
  },
  cert: {
    group: SERVER,
    value: 'FILE',
    completes: 'file',
    help: 'The client certificate in this file: PEM, or PKCS#12 with its key',
  },
  key: {
    group: SERVER,
    value: 'FILE',
    completes: 'file',
    help: 'The private key of --cert, where it is in a file of its own',
  },
  'passphrase-stdin': {
    group: SERVER,
    help: 'Read what opens the key from standard input, in the line behind the passwords',
  },
  'cert-id': {
    group: SERVER,
    value: 'ID',
    help: 'A certificate of a store by its SHA-1: LOCATION/STORE/HASH, or HASH for current-user/MY',
  },
  'cert-name': {
    group: SERVER,
    value: 'NAME',
    help: 'A certificate of a store by a part of its subject: LOCATION/STORE/NAME, or NAME',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

/** Credentials for the proxy. */
export const proxyIdentityOptions = {
  'proxy-user': {
    group: PROXY,
    value: 'NAME',
    help: 'Your name there; the password is asked for',
  },
  'proxy-password-stdin': {
    group: PROXY,
    help: "Read the password from standard input instead: the first line, or the second when the server's is there too",
  },
  'proxy-scheme': {
    group: PROXY,
    value: 'LIST',
    choices: ['basic', 'digest', 'ntlm', 'negotiate'],
    isList: true,
    help: 'Answer these schemes only, with commas: basic, digest, ntlm, negotiate',
  },
  'proxy-implicit': { group: PROXY, help: 'Who is logged on, without a password' },
  'proxy-keytab': {
    group: PROXY,
    value: 'FILE',
    completes: 'file',
    help: 'The Kerberos keys in this file, with --proxy-principal',
  },
  'proxy-principal': { group: PROXY, value: 'NAME', help: 'Whose keys or tickets: user@REALM' },
  'proxy-ccache': { group: PROXY, value: 'CACHE', help: 'The Kerberos tickets in this cache' },
} as const satisfies Readonly<Record<string, OptionSpec>>

/** Which proxy. */
export const routeOptions = {
  proxy: {
    group: ROUTE,
    value: 'PROXY',
    help: 'Through this proxy (http://proxy:8080, socks5://…) or list of them; none: straight; auto: find one (WPAD); system: as the desktop is set (default)',
  },
  noproxy: {
    group: ROUTE,
    value: 'LIST',
    help: "Hosts that are reached without it: '*.corp.example 10.0.0.0/8 <local>'",
  },
  pac: {
    group: ROUTE,
    value: 'FILE|URL',
    completes: 'file',
    help: 'Let this script (PAC) choose the proxy',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

/** What help says below them. */
export const identityNotes = [
  'Passwords are asked for at the terminal and never stand on a command line. Without --scheme every scheme is answered that does not show the password on the way: Basic with https only, Passport when the name is an e-mail address.',
  'LOCATION is current-user, local-machine or current-service; Windows knows more.',
] as const
