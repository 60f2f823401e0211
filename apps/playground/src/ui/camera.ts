import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** A camera for as long as its component is there: off from the start, and when the reader goes elsewhere. */
export interface Camera {
  /** Of the element that shows what it sees. */
  readonly video: RefObject<HTMLVideoElement>;
  readonly isOn: boolean;
  /** It has shown its first picture, and can be snapped. */
  readonly sees: boolean;
  /** Why there is none, and what to do. */
  readonly problem: string | undefined;
  open(): void;
  close(): void;
  /** What it sees now, as a picture file; undefined unless it `sees`. @param square the middle alone, as networks see it */
  snap(square?: boolean): Promise<Blob | undefined>;
}

export function useCamera(wanted: MediaTrackConstraints): Camera {
  const [stream, setStream] = useState<MediaStream>();
  const [sees, setSees] = useState(false);
  const [problem, setProblem] = useState<string>();
  const video = useRef<HTMLVideoElement>(null);
  const gone = useRef(false);
  useEffect(() => {
    setSees(false);
    if (video.current !== null) {
      video.current.srcObject = stream ?? null;
      video.current.onloadeddata = () => setSees(true);
    }
    for (const track of stream?.getTracks() ?? []) track.onended = lose;
    return () => stop(stream);
  }, [stream]);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  const lose = (): void => {
    setStream(undefined);
    setProblem("It was unplugged or taken away. Connect it, and try again, or choose a file.");
  };
  const take = (opened: MediaStream): void => {
    // Whoever allows it late may have gone elsewhere: then nobody would ever switch it off.
    if (gone.current) stop(opened);
    else setStream(opened);
  };
  return {
    video,
    isOn: stream !== undefined,
    sees,
    problem,
    open: () => {
      setProblem(undefined);
      openCamera(wanted).then(take, (error: Error) => setProblem(whyNot(error)));
    },
    close: () => setStream(undefined),
    snap: async (square = false) => (video.current === null ? undefined : pictureOf(video.current, square)),
  };
}

async function openCamera(video: MediaTrackConstraints): Promise<MediaStream> {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices === undefined) throw new DOMException("", "SecurityError");
  return devices.getUserMedia({ video });
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function whyNot({ name, message }: Error): string {
  if (name === "NotAllowedError")
    return "The browser does not let this page use it. Allow the camera in the settings beside the address, and try again, or choose a file.";
  if (name === "NotFoundError" || name === "OverconstrainedError")
    return "This machine has none that the browser knows of. Choose a file instead.";
  if (name === "NotReadableError") return "Another program uses it. Close that one, and try again, or choose a file.";
  if (name === "SecurityError")
    return "Browsers give cameras to pages on https:// and on localhost alone. Choose a file instead.";
  return `${message}. Try again, or choose a file.`;
}

async function pictureOf(video: HTMLVideoElement, square: boolean): Promise<Blob | undefined> {
  const { videoWidth, videoHeight } = video;
  const side = Math.min(videoWidth, videoHeight);
  if (side === 0) return undefined;
  const [width, height] = square ? [side, side] : [videoWidth, videoHeight];
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.drawImage(video, (width - videoWidth) / 2, (height - videoHeight) / 2);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}
