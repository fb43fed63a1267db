export type PhoneKind = 'ios' | 'android' | 'other'

/** Whose steps to show first. An iPad says that it is a Mac: both lead to Apple's steps where there is a touch screen. */
export function phoneKind(userAgent: string): PhoneKind {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios'
  if (/Android/.test(userAgent)) return 'android'
  return 'other'
}

export interface Steps {
  title: string
  /** HTML of each step. */
  steps: readonly string[]
}

/** How each kind of phone is brought to trust an authority. `{name}` is the authority's name as the phone shows it. */
export const steps: Readonly<Record<PhoneKind, Steps>> = {
  ios: {
    title: 'iPhone and iPad',
    steps: [
      'Tap <b>Download the certificate</b> above (in Safari) and tap <b>Allow</b>.',
      'Open <b>Settings</b>. At the top, tap <b>Profile Downloaded</b>, then <b>Install</b>, and enter your passcode.',
      'In <b>Settings › General › About › Certificate Trust Settings</b>, switch on <b>{name}</b>.',
      'Come back here and tap <b>Open Porchlight</b>.',
      'For notifications: in Safari tap <b>Share › Add to Home Screen</b>, and open Porchlight from there.',
    ],
  },
  android: {
    title: 'Android',
    steps: [
      'Tap <b>Download the certificate</b> above.',
      'Open <b>Settings › Security &amp; privacy › More security › Encryption &amp; credentials</b> (or search the settings for “CA certificate”).',
      'Tap <b>Install a certificate › CA certificate › Install anyway</b> and choose <b>porchlight-ca.crt</b> among your downloads.',
      'Come back here and tap <b>Open Porchlight</b>.',
    ],
  },
  other: {
    title: 'Computers',
    steps: [
      '<b>macOS:</b> open the file, add it to the keychain <b>login</b>, open <b>{name}</b> there and set <b>Trust</b> to <b>Always Trust</b>.',
      '<b>Windows:</b> open the file, <b>Install Certificate › Current User › Trusted Root Certification Authorities</b>.',
      '<b>Linux:</b> in Chromium <b>chrome://certificate-manager › Custom › Import</b> under “Trusted certificates”.',
      '<b>Firefox</b> everywhere: <b>Settings › Privacy &amp; Security › View Certificates › Authorities › Import</b>.',
    ],
  },
}
