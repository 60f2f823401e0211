import { ImageOff, X } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface ThumbnailProps {
  readonly path: string;
  readonly file: Blob;
  readonly onRemove: () => void;
}

const side = 96;

/** A picture's middle, small. It is decoded beside the page's own thread, and let go at once: a photograph may have 60 MB. */
export const Thumbnail: FunctionComponent<ThumbnailProps> = ({ path, file, onRemove }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [broken, setBroken] = useState(false);
  const name = path.slice(path.lastIndexOf("/") + 1);
  useEffect(() => {
    let gone = false;
    createImageBitmap(file, { resizeWidth: side, resizeQuality: "low" }).then(
      (bitmap) => {
        if (!gone) drawMiddle(canvas.current, bitmap);
        bitmap.close();
      },
      () => gone || setBroken(true),
    );
    return () => {
      gone = true;
    };
  }, [file]);
  return (
    <li class="train-thumbnail">
      {broken ? (
        <span class="train-thumbnail-broken" title={`${name} cannot be read: it will be left out`}>
          <ImageOff size={20} aria-label={`${name} cannot be read: it will be left out`} />
        </span>
      ) : (
        <canvas ref={canvas} width={side} height={side} role="img" aria-label={name} />
      )}
      <button type="button" aria-label={`Remove ${name}`} title={`Remove ${name}`} onClick={onRemove}>
        <X size={14} aria-hidden="true" />
      </button>
    </li>
  );
};

function drawMiddle(canvas: HTMLCanvasElement | null, bitmap: ImageBitmap): void {
  const least = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - least) / 2, (bitmap.height - least) / 2];
  canvas?.getContext("2d")?.drawImage(bitmap, left, top, least, least, 0, 0, side, side);
}
