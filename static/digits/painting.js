/** Painting: marks on a canvas, and the picture that is sent where strokes alone cannot describe the drawing. */

import { WIDTHS, frameOf, rounded } from "./drawing.js";
import { DRAWING_SIDE, blobOf, canvasOf, painters } from "./pictures.js";
import { overlap } from "./zoom.js";

/** Paint marks, a unit in `side` pixels. */
export function paint(context, marks, side, colour) {
  const photo = painters.get(marks[0]?.picture);
  context.save();
  context.scale(side, side);
  context.imageSmoothingQuality = "high";
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = photo?.colour ?? colour;
  if (photo) {
    context.beginPath();
    context.rect(...marks[0].frame);
    context.clip();
    photo.paint(context, marks[0].frame, colour);
  }
  for (const { points, tool } of marks.filter((mark) => mark.points)) {
    context.globalCompositeOperation = tool === "eraser" ? "destination-out" : "source-over";
    context.lineWidth = WIDTHS[tool];
    context.beginPath();
    trace(points, context);
    context.stroke();
  }
  context.restore();
}

/** Strokes as the path of an SVG in which a unit is `side` long. */
export function pathOf(strokes, side) {
  let path = "";
  const add = (command) => (...lengths) => {
    path += command + lengths.map((length) => rounded(length * side)).join(" ");
  };
  const pen = { moveTo: add("M"), quadraticCurveTo: add("Q"), lineTo: add("L") };
  for (const { points } of strokes) trace(points, pen);
  return path;
}

/** Move a pen, which a canvas's context is, along a line: in curves between the midpoints of its segments. */
function trace(points, pen) {
  pen.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i++) {
    const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
    pen.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  const [x, y] = points.at(-1);
  pen.lineTo(x + 1e-5, y); // a line of no length would leave no dot
}

/**
 * Paint what is seen of a pad, as sharp as the screen is.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {object[]} marks
 * @param {number[]} frame - the [left, top, width, height] of what is seen, in units
 * @param {?number[]} cursor - the place of the keyboard's pen, where the keys are used
 * @param {number} penWidth - in units
 */
export function paintPad(canvas, marks, [left, top, width], cursor, penWidth) {
  const size = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * devicePixelRatio));
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  const colour = getComputedStyle(canvas).color;
  const unit = size[0] / width;
  context.clearRect(0, 0, ...size);
  context.save();
  context.translate(-left * unit, -top * unit);
  paint(context, marks, unit, colour);
  if (cursor) paintCursor(context, cursor, penWidth, unit, colour);
  context.restore();
}

/** Mark the place of the keyboard's pen with a circle. */
function paintCursor(context, [x, y], width, side, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2 * devicePixelRatio;
  context.beginPath();
  context.arc(x * side, y * side, (width * side) / 2 + 4 * devicePixelRatio, 0, 2 * Math.PI);
  context.stroke();
}

/** Whether the first of the marks is a photo, which is neither a tile nor a drawing. */
export function isPhoto(marks) {
  return Boolean(painters.get(marks[0]?.picture)?.colour);
}

/** The frame of the picture to send: the part of a photo that is seen, or the whole view. */
export function sentFrame(marks, view, seen) {
  return isPhoto(marks) ? overlap(marks[0].frame, seen) : frameOf(view);
}

/** The picture to send: a whole photo itself where nothing was drawn on it, otherwise the marks, black on white. */
export function pictureOf(marks, view, seen) {
  const photo = painters.get(marks[0]?.picture);
  const frame = sentFrame(marks, view, seen);
  const isWhole = isPhoto(marks) && frame.every((length, index) => Math.abs(length - marks[0].frame[index]) < 1e-9);
  if (isWhole && marks.length === 1) return blobOf(marks[0].picture);
  const side = photo?.colour ? photo.width / marks[0].frame[2] : DRAWING_SIDE;
  const [left, top, width, height] = frame.map((length) => Math.round(length * side));
  const [canvas, context] = canvasOf(width, height);
  context.translate(-left, -top);
  paint(context, marks, side, "black");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white";
  context.fillRect(left, top, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve));
}
