import { jobStoreSuite } from '../engine/ports/job-store.suite.ts'
import { MemoryJobStore } from './memory-job-store.ts'

jobStoreSuite(
  'MemoryJobStore',
  {
    open: () => new MemoryJobStore(),
    reopen: (store) => store,
  },
  [
    {
      name: 'a queue that was closed and opened again is the same',
      reason: 'memory is forgotten when it is dropped',
    },
  ],
)
