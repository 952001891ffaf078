/** Picture files: loaded to be painted on the pad, and reduced where they are too large to be sent. */

import { frameOf } from "./drawing.js";

export const DRAWING_SIDE = 280; // pixels of the picture that is sent in a unit of the pad, on any screen
const PHOTO_SIDE = 1000; // pixels along the longer side of a photo that was too large to be sent as it is
const LARGE = { bytes: 500_000, side: 2000 };
/** How files of the types begin that the server reads. What a file says of its own type may be wrong or missing. */
const READABLE = {
  "image/png": /^\x89PNG\r\n\x1a\n/,
  "image/jpeg": /^\xff\xd8\xff/,
  "image/webp": /^RIFF[^]{4}WEBPVP8[ LX]/,
  "image/bmp": /^BM[^]{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0/,
  "image/gif": /^GIF8[79]a/,
};
const SAMPLES = 32; // along each side of a picture, to tell whether it is dark
const DARK = 110; // mean brightness of 255 below which a white pen shows better

/** How to paint each picture, by its data URL. */
export const painters = new Map();

/** Get a mark's picture ready to be painted, in a frame in the view; rejects where the browser cannot decode it. */
export async function load(mark, view = [1, 1]) {
  const image = new Image();
  image.src = mark.picture;
  await image.decode();
  painters.set(mark.picture, mark.isInk ? inkOf(image) : photoOf(image));
  mark.frame ??= mark.isInk ? [0, 0, 1, 1] : fitted(image, view);
  mark.across ??= view[0];
  return mark;
}

/** The frame of a picture that is as large as fits into the view. */
function fitted({ naturalWidth, naturalHeight }, view) {
  const scale = Math.min(view[0] / naturalWidth, view[1] / naturalHeight);
  return frameOf([naturalWidth * scale, naturalHeight * scale]);
}

/** A tile, white ink on black: painted in the pen's colour, transparent where there is no ink. */
function inkOf(image) {
  const [stencil, context] = canvasOf(image.width, image.height);
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height);
  for (let i = 0; i < pixels.data.length; i += 4) pixels.data[i + 3] = pixels.data[i];
  context.putImageData(pixels, 0, 0);
  return {
    paint(target, frame, colour) {
      context.globalCompositeOperation = "source-in";
      context.fillStyle = colour;
      context.fillRect(0, 0, stencil.width, stencil.height);
      target.drawImage(stencil, ...frame);
    },
  };
}

/** A picture to draw on, its width in pixels, and the colour that shows on it. */
function photoOf(image) {
  return {
    width: image.naturalWidth,
    colour: brightness(image) < DARK ? "white" : "black",
    paint: (target, frame) => target.drawImage(image, ...frame),
  };
}

/** The mean brightness of a picture on white, from samples: drawn on a single pixel, Firefox shows only its middle. */
function brightness(image) {
  const [, context] = canvasOf(SAMPLES, SAMPLES);
  context.fillStyle = "white";
  context.fillRect(0, 0, SAMPLES, SAMPLES);
  context.drawImage(image, 0, 0, SAMPLES, SAMPLES);
  const { data } = context.getImageData(0, 0, SAMPLES, SAMPLES);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  return sum / (3 * SAMPLES * SAMPLES);
}

/** A picture file as it is, or reduced to JPEG where it is large or the server does not read it; rejects as `load`. */
export async function reduced(file) {
  const beginning = String.fromCharCode(...new Uint8Array(await file.slice(0, 20).arrayBuffer()));
  const type = Object.keys(READABLE).find((each) => READABLE[each].test(beginning));
  const typed = type ? file.slice(0, file.size, type) : file;
  const bitmap = await createImageBitmap(typed);
  const longer = Math.max(bitmap.width, bitmap.height);
  if (type && file.size <= LARGE.bytes && longer <= LARGE.side) return typed;
  const scale = Math.min(1, PHOTO_SIDE / longer);
  const [canvas, context] = canvasOf(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

/** A file or blob as a data URL. */
export function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}

/** The blob that a base64 data URL holds. */
export function blobOf(url) {
  const [, type, base64] = url.match(/^data:([^;]*);base64,(.*)$/s);
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], { type });
}

/** A canvas of at least one pixel, and its 2D context. */
export function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(1, width), Math.max(1, height)];
  return [canvas, canvas.getContext("2d")];
}
