import { z } from 'zod'

// Before any schema is made: the page's Content-Security-Policy has no `unsafe-eval`, and zod need not try.
z.config({ jitless: true })
