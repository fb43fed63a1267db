import { signal } from '@preact/signals'
import { sentenceOf } from './api/request.ts'
import { lazy } from './lazy.tsx'
import { CameraPage } from './pages/camera-page.tsx'
import { CamerasPage } from './pages/cameras-page.tsx'
import { EventsPage } from './pages/events-page.tsx'
import { SettingsPage } from './pages/settings-page.tsx'
import { SignInPage } from './pages/sign-in-page.tsx'
import { hrefOf, parseRoute, type Route } from './route.ts'
import { readSession, session } from './state/session.ts'
import { ContactBar } from './ui/contact-bar.tsx'
import { Icon, Lamp } from './ui/icons.tsx'
import { RingBanner } from './ui/ring-banner.tsx'

const EventPage = lazy(() => import('./pages/event-page.tsx').then((module) => module.EventPage))
const EarlierPage = lazy(() => import('./pages/earlier-page.tsx').then((module) => module.EarlierPage))

export const route = signal<Route>(parseRoute(location.hash))
addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash)
  scrollTo(0, 0)
})

export function App() {
  const current = route.value
  const { state } = session.value
  if (current.page === 'sign-in') return <SignInPage token={current.token} />
  if (state === 'out') return <SignInPage token={undefined} />
  if (state === 'unknown') return <Opening />
  return (
    <>
      <RingBanner />
      <ContactBar />
      <Page route={current} />
      {current.page !== 'camera' && current.page !== 'earlier' && <Tabs current={current.page} />}
    </>
  )
}

function Page({ route }: { route: Route }) {
  const { page } = route
  const id = 'id' in route ? route.id : ''
  if (page === 'camera') return <CameraPage key={id} id={id} />
  if (route.page === 'earlier') return <EarlierPage key={id} id={id} at={route.at} />
  if (page === 'event') return <EventPage key={id} id={id} />
  if (page === 'events') return <EventsPage />
  if (page === 'settings') return <SettingsPage />
  return <CamerasPage />
}

function Opening() {
  const error = session.value.state === 'unknown' ? session.value.error : undefined
  return (
    <main class="page sign-in">
      <Lamp />
      {error && (
        <>
          <p class="problem" role="alert">
            {sentenceOf(error)}
          </p>
          <button type="button" class="main" onClick={() => void readSession()}>
            Try again
          </button>
        </>
      )}
    </main>
  )
}

function Tabs({ current }: { current: Route['page'] }) {
  const tabs = [
    { page: 'cameras', label: 'Cameras', icon: 'camera' },
    { page: 'events', label: 'Events', icon: 'clock' },
    { page: 'settings', label: 'Settings', icon: 'gear' },
  ] as const
  const open = current === 'event' ? 'events' : current
  return (
    <nav class="tabs" aria-label="Pages">
      {tabs.map(({ page, label, icon }) => (
        <a key={page} href={hrefOf({ page })} aria-current={open === page ? 'page' : undefined}>
          <Icon name={icon} />
          {label}
        </a>
      ))}
    </nav>
  )
}
