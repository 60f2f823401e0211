import type { ImageShape } from "../../../model/spec.js";

/** A picture as an address that `<image>` takes. */
export interface SamplePicture {
  readonly url: string;
  /** In words. */
  readonly about: string;
}

/** A picture to look at fields on: a landscape for colours, a digit where there are none. Drawn at the network's own size. */
export function samplePicture([channels, height, width]: ImageShape): SamplePicture {
  return {
    url: drawnTo(width, height, (context) => (channels === 1 ? digit : landscape)(context, width, height)),
    about: channels === 1 ? "a seven" : "a drawn landscape",
  };
}

/** A reader's own picture, cut to the network's proportions. @throws Error for what is no picture */
export async function ownPicture(file: File, [channels, height, width]: ImageShape): Promise<SamplePicture> {
  const bitmap = await createImageBitmap(file, {
    resizeQuality: "medium",
    ...coverSize(await sizeOf(file), width, height),
  });
  const url = drawnTo(width, height, (context) => {
    if (channels === 1) context.filter = "grayscale(1)";
    context.drawImage(bitmap, (width - bitmap.width) / 2, (height - bitmap.height) / 2);
  });
  bitmap.close();
  return { url, about: "your picture" };
}

/** Decoded off the main thread, and let go again: only its size is kept. */
async function sizeOf(file: File): Promise<readonly [number, number]> {
  const whole = await createImageBitmap(file);
  const size = [whole.width, whole.height] as const;
  whole.close();
  return size;
}

function coverSize([w, h]: readonly [number, number], width: number, height: number) {
  const scale = Math.max(width / w, height / h);
  return { resizeWidth: Math.max(1, Math.round(w * scale)), resizeHeight: Math.max(1, Math.round(h * scale)) };
}

function drawnTo(width: number, height: number, draw: (context: CanvasRenderingContext2D) => void): string {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  draw(canvas.getContext("2d") as CanvasRenderingContext2D);
  return canvas.toDataURL();
}

function digit(context: CanvasRenderingContext2D, width: number, height: number): void {
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  context.strokeStyle = "#fff";
  context.lineWidth = width * 0.09;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(width * 0.28, height * 0.24);
  context.lineTo(width * 0.72, height * 0.24);
  context.quadraticCurveTo(width * 0.5, height * 0.5, width * 0.44, height * 0.8);
  context.stroke();
}

type Shape = readonly (readonly [x: number, y: number])[];

/** In shares of width and height. */
const hills: readonly { readonly colour: string; readonly shape: Shape }[] = [
  {
    colour: "#8fa8a3",
    shape: [
      [0, 0.62],
      [0.18, 0.42],
      [0.3, 0.52],
      [0.52, 0.3],
      [0.78, 0.56],
      [1, 0.44],
      [1, 1],
      [0, 1],
    ],
  },
  {
    colour: "#5f8a6a",
    shape: [
      [0, 0.7],
      [0.35, 0.58],
      [0.7, 0.68],
      [1, 0.6],
      [1, 1],
      [0, 1],
    ],
  },
  {
    colour: "#c9b36b",
    shape: [
      [0, 0.84],
      [0.4, 0.76],
      [1, 0.82],
      [1, 1],
      [0, 1],
    ],
  },
  {
    colour: "#b5523b",
    shape: [
      [0.58, 0.8],
      [0.58, 0.66],
      [0.65, 0.58],
      [0.72, 0.66],
      [0.72, 0.8],
    ],
  },
  {
    colour: "#f3ead6",
    shape: [
      [0.6, 0.8],
      [0.6, 0.67],
      [0.7, 0.67],
      [0.7, 0.8],
    ],
  },
  {
    colour: "#4a3b2f",
    shape: [
      [0.635, 0.8],
      [0.635, 0.73],
      [0.665, 0.73],
      [0.665, 0.8],
    ],
  },
  {
    colour: "#3d5a3f",
    shape: [
      [0.2, 0.82],
      [0.26, 0.52],
      [0.32, 0.82],
    ],
  },
  {
    colour: "#34503a",
    shape: [
      [0.12, 0.84],
      [0.17, 0.6],
      [0.22, 0.84],
    ],
  },
];

function landscape(context: CanvasRenderingContext2D, width: number, height: number): void {
  const sky = context.createLinearGradient(0, 0, 0, height * 0.7);
  sky.addColorStop(0, "#7fb2d6");
  sky.addColorStop(1, "#f2e4cf");
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  context.fillStyle = "#f6d97a";
  context.beginPath();
  context.arc(width * 0.78, height * 0.2, Math.min(width, height) * 0.07, 0, 2 * Math.PI);
  context.fill();
  for (const { colour, shape } of hills) {
    context.fillStyle = colour;
    context.beginPath();
    for (const [x, y] of shape) context.lineTo(x * width, y * height);
    context.fill();
  }
}
