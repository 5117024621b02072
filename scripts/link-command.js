// Plain JavaScript that any Node can read: npm links the commands of dependencies, but not a clone's own. With this,
// `npx lull` works in a clone after `npm ci`.
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const commands = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url))

// Without a folder of its own this is no clone but an installed package, and npm has linked it already.
if (existsSync(fileURLToPath(new URL('../node_modules', import.meta.url)))) {
  mkdirSync(commands, { recursive: true })
  if (process.platform === 'win32') {
    writeFileSync(`${commands}lull.cmd`, '@node "%~dp0\\..\\..\\bin\\lull.js" %*\r\n')
  } else {
    chmodSync(fileURLToPath(new URL('../bin/lull.js', import.meta.url)), 0o755)
    rmSync(`${commands}lull`, { force: true })
    symlinkSync('../../bin/lull.js', `${commands}lull`)
  }
}
