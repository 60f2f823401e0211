import { type Picture, pictureFile } from "../../../model/pictures.js";

/** A picture that a few lines make: red, green and blue (0..1) at a place (-1..1 both ways, y downwards). */
export interface Scene {
  readonly name: string;
  readonly colourAt: (x: number, y: number) => readonly [number, number, number];
}

const grey = (value: number): readonly [number, number, number] => [value, value, value];

/** What filters answer to: directions, corners, colours, and something like a view. */
export const scenes: readonly Scene[] = [
  { name: "Stripes", colourAt: (x, y) => grey(0.5 + 0.5 * Math.sin(18 * (x + y))) },
  { name: "Rings", colourAt: (x, y) => grey(0.5 + 0.5 * Math.sin(26 * Math.hypot(x, y))) },
  {
    name: "Squares",
    colourAt: (x, y) => ((Math.floor(3 * x) + Math.floor(3 * y)) % 2 === 0 ? [0.85, 0.3, 0.2] : [0.15, 0.4, 0.75]),
  },
  {
    name: "Sunset",
    colourAt: (x, y) => {
      const hill = 0.45 + 0.12 * Math.sin(3 * x + 1) + 0.05 * Math.sin(9 * x);
      if (y > hill) return [0.12, 0.2, 0.16];
      if (Math.hypot(x - 0.2, y - 0.15) < 0.28) return [1, 0.9, 0.6];
      const height = (y + 1) / 1.5;
      return [0.35 + 0.6 * height, 0.35 + 0.2 * height, 0.6 - 0.3 * height];
    },
  },
];

/** A scene as a square of `side` pixels. */
export function scenePicture({ colourAt }: Scene, side: number): Picture {
  const rgba = new Uint8ClampedArray(4 * side * side);
  for (let i = 0; i < side * side; i++) {
    const place = (at: number): number => (2 * (at + 0.5)) / side - 1;
    const colour = colourAt(place(i % side), place(Math.floor(i / side)));
    rgba.set([...colour.map((value) => 255 * value), 255], 4 * i);
  }
  return { rgba, width: side, height: side };
}

/** The scene as a picture file. */
export const sceneFile = (scene: Scene, side = 256): Promise<Blob> => pictureFile(scenePicture(scene, side));
