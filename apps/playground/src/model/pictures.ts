/** Numbers as pictures. All colour maps grow evenly in lightness or differ in blue and orange alone: they hold for colour-blind readers. */
export interface Picture {
  /** `4 * width * height` bytes. */
  readonly rgba: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** `[height, width]`. */
export type Size = readonly [height: number, width: number];

type Numbers = ArrayLike<number>;
type Rgb = readonly [red: number, green: number, blue: number];

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Least and greatest of finite values; 0 and 0 of none. */
export function rangeOf(values: Numbers): Range {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < min && value > -Infinity) min = value;
    if (value > max && value < Infinity) max = value;
  }
  return max === -Infinity ? { min: 0, max: 0 } : { min, max };
}

/** A pixel as one number: all machines that run browsers store its lowest byte first. */
const packed = (red: number, green: number, blue: number): number =>
  (0xff000000 | (byte(blue) << 16) | (byte(green) << 8) | byte(red)) >>> 0;

const byte = (value: number): number => (value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value));

/** No objects a pixel: pictures change many times a second. */
function painted([height, width]: Size, colourAt: (i: number) => number): Picture {
  const pixels = new Uint32Array(height * width);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colourAt(i);
  return { rgba: new Uint8ClampedArray(pixels.buffer), width, height };
}

/** Pixels 0..255 as planes `[C, H, W]`, one channel or three; of other numbers of channels, the first. */
export function imagePicture(planes: Numbers, [channels, height, width]: readonly [number, number, number]): Picture {
  const step = channels === 3 ? height * width : 0;
  return painted([height, width], (i) =>
    packed(planes[i] as number, planes[i + step] as number, planes[i + 2 * step] as number),
  );
}

/** As a PNG file. */
export function pictureFile({ rgba, width, height }: Picture): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const pixels = new ImageData(new Uint8ClampedArray(rgba), width, height);
  (canvas.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(pixels, 0, 0);
  return canvas.convertToBlob();
}

/** Share of `value` in a range, 0 to 1; 0 where the range is a point. */
const share = (value: number, { min, max }: Range): number => (max > min ? (value - min) / (max - min) : 0);

/** Black is the least, white the greatest. */
export function greyPicture(values: Numbers, size: Size, range: Range = rangeOf(values)): Picture {
  return painted(size, (i) => {
    const grey = 255 * share(values[i] as number, range);
    return packed(grey, grey, grey);
  });
}

function along(stops: readonly Rgb[], at: number): Rgb {
  const place = Math.min(Math.max(at, 0), 1) * (stops.length - 1);
  const below = Math.min(Math.floor(place), stops.length - 2);
  const [low, high] = [stops[below] as Rgb, stops[below + 1] as Rgb];
  const part = place - below;
  const mixed = (k: 0 | 1 | 2): number => low[k] * (1 - part) + high[k] * part;
  return [mixed(0), mixed(1), mixed(2)];
}

/** 256 colours: a look into a table is all that a pixel costs. */
const table = (stops: readonly Rgb[]): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, i) => packed(...along(stops, i / 255)));

/** From night to sand: lightness grows evenly, blue against yellow. */
const fromNight = table([
  [13, 18, 32],
  [24, 52, 86],
  [31, 96, 118],
  [72, 139, 125],
  [152, 175, 118],
  [226, 201, 116],
  [252, 236, 182],
]);

const toOrange = {
  light: table([
    [250, 249, 246],
    [240, 180, 130],
    [176, 74, 16],
  ]),
  dark: table([
    [22, 24, 27],
    [150, 78, 34],
    [252, 186, 130],
  ]),
};
const toBlue = {
  light: table([
    [250, 249, 246],
    [140, 170, 222],
    [36, 72, 152],
  ]),
  dark: table([
    [22, 24, 27],
    [52, 86, 160],
    [160, 194, 255],
  ]),
};

const entry = (colours: Uint32Array, at: number): number =>
  colours[Math.round(255 * Math.min(Math.max(at, 0), 1)) || 0] as number;

/** Orange above 0, blue below, the ground of the theme at 0. `limit`: what is as strong as can be; left out: the largest. */
export function divergingPicture(values: Numbers, size: Size, dark: boolean, limit = largest(values)): Picture {
  const theme = dark ? "dark" : "light";
  return painted(size, (i) => {
    const value = limit > 0 ? (values[i] as number) / limit : 0;
    return value >= 0 ? entry(toOrange[theme], value) : entry(toBlue[theme], -value);
  });
}

/** The largest absolute value. */
function largest(values: Numbers): number {
  const { min, max } = rangeOf(values);
  return Math.max(Math.abs(min), Math.abs(max));
}

/** Changes of pixels `[C, H, W]` in their own colours around grey, as papers print gradients; the largest is black or full. */
export function gradientPicture(planes: Numbers, shape: readonly [number, number, number]): Picture {
  const scale = 127 / (largest(planes) || 1);
  return imagePicture(
    Float32Array.from(planes, (value) => 128 + scale * value),
    shape,
  );
}

/**
 * Heat over a grey version of the image: 0 lets the image through, `range.max` covers it as far as `opacity` (0..1) says.
 * @param heat as many values as the image has pixels; below `range.min` counts as it
 */
export function heatOverlay(image: Picture, heat: Numbers, opacity: number, range: Range = rangeOf(heat)): Picture {
  const { rgba, width, height } = image;
  return painted([height, width], (i) => {
    const at = 4 * i;
    const [red, green, blue] = [rgba[at] as number, rgba[at + 1] as number, rgba[at + 2] as number];
    // As far as heat hides the image it takes its colours, too: two pictures in colour could not be told apart.
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    const warm = Math.min(Math.max(share(heat[i] as number, range), 0), 1);
    const cover = opacity * (0.25 + 0.75 * warm);
    const colour = entry(fromNight, warm);
    const mix = (own: number, other: number): number => (own + (luma - own) * opacity) * (1 - cover) + other * cover;
    return packed(mix(red, colour & 255), mix(green, (colour >> 8) & 255), mix(blue, (colour >> 16) & 255));
  });
}
