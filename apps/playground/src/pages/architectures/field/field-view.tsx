import "./field-view.css";
import type { FunctionComponent } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ImageShape } from "../../../model/spec.js";
import { FileDrop, Notice, Slider } from "../../../ui/index.js";
import type { Field } from "../selection.js";
import { fieldAt, placeAt, reachesOut } from "./geometry.js";
import { ownPicture, type SamplePicture, samplePicture } from "./sample.js";

interface FieldViewProps {
  readonly image: ImageShape;
  /** Of the layer that is shown, and its map's height and width. */
  readonly field: Field;
  readonly map: readonly [height: number, width: number];
}

/** What one output pixel of a layer sees of a picture; the pointer and two sliders say which pixel. */
export const FieldView: FunctionComponent<FieldViewProps> = ({ image, field, map }) => {
  // As shares of the map, so that the place stays from layer to layer.
  const [share, setShare] = useState<readonly [number, number]>([0.5, 0.5]);
  const [own, setOwn] = useState<{ readonly file: File; readonly picture: SamplePicture; readonly key: string }>();
  const [problem, setProblem] = useState<string>();
  const key = image.join("x");
  const sample = useMemo(() => samplePicture(image), [key]);
  const picture = own?.key === key ? own.picture : sample;
  const [rows, columns] = map;
  const place = [
    Math.min(rows - 1, Math.floor(share[0] * rows)),
    Math.min(columns - 1, Math.floor(share[1] * columns)),
  ] as const;
  const setPlace = ([row, column]: readonly [number, number]): void =>
    setShare([(row + 0.5) / rows, (column + 0.5) / columns]);
  const read = (file: File | undefined): void => {
    if (file === undefined) return;
    setProblem(undefined);
    ownPicture(file, image).then(
      (made) => setOwn({ file, picture: made, key }),
      () => setProblem(`${file.name} is no picture that this browser reads. Take a PNG, JPEG or WebP file.`),
    );
  };
  // The same picture for another network.
  useEffect(() => read(own?.file), [key]);
  return (
    <div class="field-view">
      <FieldPicture {...{ image, field, map, picture, place }} onPlace={setPlace} />
      {rows * columns === 1 ? null : (
        <div class="field-sliders">
          <Slider
            label="Row of the layer's map"
            value={place[0]}
            min={0}
            max={rows - 1}
            shown={`${place[0] + 1} of ${rows}`}
            onChange={(row) => setPlace([row, place[1]])}
          />
          <Slider
            label="Column of the layer's map"
            value={place[1]}
            min={0}
            max={columns - 1}
            shown={`${place[1] + 1} of ${columns}`}
            onChange={(column) => setPlace([place[0], column])}
          />
        </div>
      )}
      <FileDrop label="Use a picture of yours" accept="image/*" onFiles={([file]) => read(file)}>
        It stays on this machine.
      </FileDrop>
      {problem === undefined ? null : <Notice kind="error">{problem}</Notice>}
    </div>
  );
};

interface FieldPictureProps extends FieldViewProps {
  readonly picture: SamplePicture;
  readonly place: readonly [number, number];
  readonly onPlace: (place: readonly [number, number]) => void;
}

const FieldPicture: FunctionComponent<FieldPictureProps> = ({ image, field, map, picture, place, onPlace }) => {
  const [, height, width] = image;
  const seen = fieldAt(field, place);
  const pad = Math.round(Math.max(width, height) * 0.06);
  const outer = { x: -pad, y: -pad, width: width + 2 * pad, height: height + 2 * pad };
  const outside = reachesOut(seen, [height, width]);
  const words = `${picture.about} of ${width} by ${height} pixels. Output pixel ${place[0] + 1}, ${place[1] + 1} sees ${seen.width} by ${seen.height} pixels from column ${Math.ceil(seen.x)}, row ${Math.ceil(seen.y)}${outside ? ", padding beyond the edge among them" : ""}.`;
  const point = (event: PointerEvent & { readonly currentTarget: SVGSVGElement }): void => {
    const matrix = event.currentTarget.getScreenCTM();
    if (matrix === null) return;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    onPlace(placeAt(field, map, [y - 0.5, x - 0.5]));
  };
  return (
    <>
      <svg
        class="field-picture"
        role="img"
        aria-label={words}
        viewBox={`${outer.x} ${outer.y} ${outer.width} ${outer.height}`}
        onPointerMove={point}
        onPointerDown={point}
      >
        <image
          href={picture.url}
          {...{ width, height }}
          preserveAspectRatio="none"
          style={{ imageRendering: width <= 64 ? "pixelated" : "auto" }}
        />
        <path class="shade" d={`${rectangle(outer)}${rectangle(seen)}`} />
        <path class="edge" d={rectangle({ x: 0, y: 0, width, height })} />
        <path class="frame dark" d={rectangle(seen)} />
        <path class="frame" d={rectangle(seen)} />
        <circle
          class="dot"
          cx={seen.x + seen.width / 2}
          cy={seen.y + seen.height / 2}
          r={Math.max(width, height) * 0.012}
        />
      </svg>
      <p class="quiet small">
        One value of this layer sees {seen.width} × {seen.height} of the image's {width} × {height} pixels
        {outside ? "; beyond the dashed edge it sees padding, which is zeros." : "."}
      </p>
    </>
  );
};

const rectangle = ({ x, y, width, height }: ReturnType<typeof fieldAt>): string =>
  `M${x} ${y}h${width}v${height}h${-width}Z`;
