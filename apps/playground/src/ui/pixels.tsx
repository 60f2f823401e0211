import "./pixels.css";
import type { FunctionComponent } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PixelsProps {
  /** What is to be seen, in words; "" for what stands beside words that say it. */
  readonly label: string;
  /** RGBA, `4 * width * height` bytes: see `model/pictures.ts`. */
  readonly rgba: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** How wide it is drawn, in CSS pixels; left out: as wide as its place. */
  readonly size?: number | undefined;
}

/** Numbers as a picture, each one a square of its own however large it is drawn. */
export const Pixels: FunctionComponent<PixelsProps> = ({ label, rgba, width, height, size }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const picture = new ImageData(new Uint8ClampedArray(rgba), width, height);
    canvas.current?.getContext("2d")?.putImageData(picture, 0, 0);
  }, [rgba, width, height]);
  return (
    <canvas
      ref={canvas}
      class="pixels"
      {...{ width, height }}
      {...(label === "" ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
      style={size === undefined ? undefined : { width: `${size}px` }}
    />
  );
};
