import { useEffect, useRef } from 'preact/hooks'
import type { FingerPicture } from './finger-pictures.ts'
import { percent } from './scale.ts'

/**
 * The small picture above a finger that scrubs.
 * @param picture `waiting`: it is on its way, and the one before stays, darker
 * @param place of the finger, 0 … 1 from left to right
 */
export function FingerPictureView({ picture, place }: { picture: FingerPicture | 'waiting'; place: number }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (picture === 'waiting' || !canvas.current) return
    const { image, x, y, width, height } = picture
    canvas.current.width = width
    canvas.current.height = height
    canvas.current.getContext('2d')?.drawImage(image, x, y, width, height, 0, 0, width, height)
  }, [picture])
  return (
    <div class="finger-picture" data-waiting={picture === 'waiting'} style={{ '--place': percent(place) }}>
      <canvas ref={canvas} width={160} height={90} />
    </div>
  )
}
