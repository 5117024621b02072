import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needsOpenssl } from '../certificates.suite.ts'
import { ClientFiles } from './client-files.suite.ts'
import { isSubjectLike, subjectText } from './subject.ts'

/** Subjects as openssl takes them, and as they are searched. */
const subjects: readonly (readonly [given: string, searched: string])[] = [
  ['/O=name3/OU=name2/CN=name1', 'name3, name2, name1'],
  ['/C=DE/O=Acme, Inc./CN=Zoë Ümlaut', 'DE, Acme, Inc., Zoë Ümlaut'],
  ['/O=a\\+b = c/CN=R"D\\\\x', 'a+b = c, R"D\\x'],
  ['/CN=alice/emailAddress=alice@example.org', 'alice, alice@example.org'],
]

for (const [given, searched] of subjects) {
  test(`subjectText() says ${searched}`, { skip: needsOpenssl }, (t) => {
    assert.equal(subjectText(new ClientFiles(t).issue('a', { subject: given })), searched)
  })
}

test('subjectText() joins the values of one relative name', () => {
  assert.equal(subjectText({ subject: 'C=DE\nOU=a + O=b \\+ x\\, y\nCN=c' }), 'DE, a + b + x, y, c')
})

test('isSubjectLike() takes any part, whatever the case (A72)', () => {
  const certificate = { subject: 'O=Example\nCN=Alice Liddell' }
  for (const part of ['alice', 'EXAMPLE, alice', 'e', 'Liddell']) {
    assert.ok(isSubjectLike(certificate, part), part)
  }
  for (const part of ['Alice, Example', 'CN=Alice', 'bob']) {
    assert.ok(!isSubjectLike(certificate, part), part)
  }
})
