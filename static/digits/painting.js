/** Painting: marks on a canvas, and the picture that is sent where strokes alone cannot describe the drawing. */

import { WIDTHS, frameOf } from "./drawing.js";
import { DRAWING_SIDE, blobOf, canvasOf, painters } from "./pictures.js";

/** Paint marks, a unit in `side` pixels. Lines are curves between the midpoints of their segments. */
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
    context.moveTo(...points[0]);
    for (let i = 1; i < points.length - 1; i++) {
      const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    const [x, y] = points.at(-1);
    context.lineTo(x + 1e-5, y); // a line of no length would leave no dot
    context.stroke();
  }
  context.restore();
}

/** Mark the place of the keyboard's pen with a circle. */
export function paintCursor(context, [x, y], width, side, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2 * devicePixelRatio;
  context.beginPath();
  context.arc(x * side, y * side, (width * side) / 2 + 4 * devicePixelRatio, 0, 2 * Math.PI);
  context.stroke();
}

/** The frame of the picture to send: that of the photo, or the whole view. */
export function sentFrame(marks, view) {
  return painters.get(marks[0]?.picture)?.colour ? marks[0].frame : frameOf(view);
}

/** The picture to send: the photo itself where nothing was drawn on it, otherwise the marks in black on white. */
export function pictureOf(marks, view) {
  const photo = painters.get(marks[0]?.picture);
  if (marks.length === 1 && photo?.colour) return blobOf(marks[0].picture);
  const frame = sentFrame(marks, view);
  const side = photo?.colour ? photo.width / frame[2] : DRAWING_SIDE;
  const [left, top, width, height] = frame.map((length) => Math.round(length * side));
  const [canvas, context] = canvasOf(width, height);
  context.translate(-left, -top);
  paint(context, marks, side, "black");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white";
  context.fillRect(left, top, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve));
}
