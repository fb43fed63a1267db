/** Drawings of 24 × 24, in the colour of the text around them. */
const paths = {
  camera:
    'M4 7.5A2.5 2.5 0 0 1 6.5 5h7A2.5 2.5 0 0 1 16 7.5v9a2.5 2.5 0 0 1-2.5 2.5h-7A2.5 2.5 0 0 1 4 16.5zM16 11l4-2.5v7L16 13',
  bell: 'M12 3a6 6 0 0 0-6 6v4l-1.5 3h15L18 13V9a6 6 0 0 0-6-6zM10 19.5a2.2 2.2 0 0 0 4 0',
  walk: 'M13 4.5m-1.6 0a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0M12 8.5l-3 2v3M12 8.5l1.5 5-2 3.5-2 3.5M13.5 13.5l2 3 1 4M12.5 9.5l2 2.500 2.500 .5',
  clock: 'M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16M12 8v4l2.5 2',
  gear: 'M12 9a3 3 0 1 0 0 6a3 3 0 1 0 0-6M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.200 2.200M16.200 16.200l2.200 2.200M18.400 5.600l-2.200 2.200M7.800 16.200l-2.200 2.200',
  microphone: 'M12 3.500a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3zM6 11.500a6 6 0 0 0 12 0M12 17.500v3',
  soundOn: 'M4 10v4h3l4.500 3.500v-11L7 10zM15 9a4 4 0 0 1 0 6M17.500 6.500a8 8 0 0 1 0 11',
  soundOff: 'M4 10v4h3l4.500 3.500v-11L7 10zM15.500 10l4.500 4.500M20 10l-4.500 4.500',
  expand: 'M5 10V5h5M19 14v5h-5M14 5h5v5M10 19H5v-5',
  fill: 'M4 8.5h16v7H4zM9 5.5l3-2.5 3 2.5M9 18.5l3 2.500 3-2.500',
  back: 'M14.500 5.500L8 12l6.500 6.500',
  close: 'M6.500 6.500l11 11M17.500 6.500l-11 11',
  offline:
    'M3.500 3.500l17 17M6.500 9.500a9 9 0 0 1 3-1.700M4 7a13 13 0 0 1 2-1.300M12 18.500h.01M9 14.800a4.500 4.500 0 0 1 5 -.3M13 7a12 12 0 0 1 7 3',
  figures: 'M5 19v-5M10 19V9M15 19v-8M20 19V5',
  play: 'M8 5.500v13l11-6.500z',
  pause: 'M8.500 6v12M15.500 6v12',
  previous: 'M18 6v12l-9-6zM6 6v12',
  next: 'M6 6v12l9-6zM18 6v12',
  forward: 'M9.500 5.500L16 12l-6.500 6.500',
  save: 'M12 4v11M7.500 11l4.500 4.500 4.500-4.500M5 19.500h14',
  share: 'M12 15V4M8 7.500L12 3.500l4 4M6.500 11H5v9h14v-9h-1.500',
  keep: 'M7 10.500V8a5 5 0 0 1 9.600-2M5.500 10.500h13v9h-13z',
  kept: 'M7 10.500V8a5 5 0 0 1 10 0v2.500M5.500 10.500h13v9h-13zM12 14v2.500',
  earlier: 'M4.500 12a7.500 7.500 0 1 0 2.500-5.600M4.500 4v3.500H8M12 8v4l2.500 2',
} as const

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}

/** The lamp of the house. */
export function Lamp() {
  return <img class="lamp" src="/icons/icon.svg" alt="" width="72" height="72" />
}
