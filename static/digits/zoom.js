/**
 * Zoom: which part of a view is seen while a photo is on the pad. A zoom is {scale, centre}: how many times larger things
 * are seen than in the whole view, and the point in the middle of what is seen, in units. Uses no DOM.
 */

import { clampToView, frameOf } from "./drawing.js";

const MOST = 8; // times larger

export const UNZOOMED = { scale: 1, centre: [0.5, 0.5] };

/** The [left, top, width, height] that a zoom shows of a view, which never leaves the view. */
export function seenFrame(view, { scale, centre }) {
  const [width, height] = view.map((side) => side / scale);
  const [x, y] = clampToView(centre, [view[0] - width, view[1] - height]);
  return [x - width / 2, y - height / 2, width, height];
}

/** A zoom by so many times more, which leaves a point where it is seen. */
export function zoomedAt(zoom, factor, point, view) {
  const scale = Math.min(MOST, Math.max(1, zoom.scale * factor));
  const [left, top, width, height] = seenFrame(view, zoom);
  const middle = [left + width / 2, top + height / 2];
  const centre = middle.map((place, axis) => point[axis] + ((place - point[axis]) * zoom.scale) / scale);
  return kept({ scale, centre }, view);
}

/** A zoom that shows what lies [x, y] units beside. */
export function movedBy({ scale, centre }, [x, y], view) {
  return kept({ scale, centre: [centre[0] + x, centre[1] + y] }, view);
}

/** The part that two frames have in common. */
export function overlap([left, top, width, height], [otherLeft, otherTop, otherWidth, otherHeight]) {
  const [x, y] = [Math.max(left, otherLeft), Math.max(top, otherTop)];
  const right = Math.min(left + width, otherLeft + otherWidth);
  const bottom = Math.min(top + height, otherTop + otherHeight);
  return [x, y, Math.max(0, right - x), Math.max(0, bottom - y)];
}

/** The same zoom with its centre where it is seen, so that moving back has an effect at once. */
function kept(zoom, view) {
  const [left, top, width, height] = seenFrame(view, zoom);
  return { scale: zoom.scale, centre: [left + width / 2, top + height / 2] };
}
