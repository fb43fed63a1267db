import './styles/index.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { keepContact } from './notices/contact-keeper.ts'
import { preparePush } from './push/push.ts'
import { parseRoute } from './route.ts'
import { readSession } from './state/session.ts'
import { startClock } from './state/time.ts'

render(<App />, document.getElementById('app')!)
startClock()
keepContact()
// The link signs in by itself; asking who we are would race with it.
if (parseRoute(location.hash).page !== 'sign-in') void readSession()
preparePush().catch((error: unknown) => console.warn('Notifications are not available:', error))
