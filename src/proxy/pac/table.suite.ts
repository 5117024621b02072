/** Scripts that evaluate many expressions at once, so that any engine can be asked the same table in one call. */

/** One row: an expression of a script and what it is. */
export interface Row {
  readonly expression: string
  /** `String(value)`; `throws` for an exception. */
  readonly expected: string
  /** The moment that `new Date()` is, as an expression; the real one unless it says. */
  readonly now?: string
  /** Whether it is only ours to say: other engines have another answer, or none. */
  readonly isOurs?: boolean
}

/** Puts texts where hosts stand, so that they survive everything that reads answers. */
const encoder = `function encodeAnswers(list) {
  return list.map(function (text) {
    var hex = ''
    for (var i = 0; i < text.length; i++) hex += (0x10000 + text.charCodeAt(i)).toString(16).slice(1)
    return 'PROXY h' + hex + ':1'
  }).join('; ')
}`

/** The texts in an answer that was made by {@link tableScript} or {@link urlsScript}. */
export function decodeAnswers(answer: string): readonly string[] {
  return [...answer.matchAll(/PROXY h([0-9a-f]*):1/gu)].map(([, hex = '']) =>
    hex.replaceAll(/.{4}/gu, (code) => String.fromCharCode(Number.parseInt(code, 16))),
  )
}

/** A script whose answer for any URL is the value of every row. */
export function tableScript(rows: readonly Pick<Row, 'expression' | 'now'>[]): string {
  return `${encoder}
  var RealDate = Date
  function setNow(now) {
    Date = class extends RealDate {
      constructor(...args) { if (args.length === 0) super(now.getTime()); else super(...args) }
    }
  }
  function valueOf(row) {
    Date = RealDate
    try {
      if (row.now) setNow(eval(row.now))
      return String(eval(row.expression))
    } catch (error) {
      return 'throws'
    }
  }
  function FindProxyForURL(url, host) { return encodeAnswers(${JSON.stringify(rows)}.map(valueOf)) }`
}

/** A script whose answer for any URL is what another script answers for many. */
export function urlsScript(script: string, urls: readonly string[]): string {
  return `${script}
  ${encoder}
  var askedScript = FindProxyForURL
  FindProxyForURL = function (url, host) {
    return encodeAnswers(${JSON.stringify(urls)}.map(function (each) {
      var host = each.replace(/^[a-z]*:\\/\\//, '').replace(/[\\/].*$/, '').replace(/:\\d*$/, '').replace(/[\\[\\]]/g, '')
      return askedScript(each, host)
    }))
  }`
}
