/** The part of the map that is seen: its middle and how far it is enlarged. Uses no DOM. */

const CLOSEST = 60; // times the size at which all of the map is seen

/** The middle of the view in fractions of the map's side, and its zoom: 1 where all of the map is seen. */
export class View {
  x = 0.5;
  y = 0.5;
  zoom = 1;
  /** The size of the canvas in CSS pixels. */
  width = 1;
  height = 1;

  /** CSS pixels of the map's side. */
  get side() {
    return this.zoom * Math.min(this.width, this.height);
  }

  /** A place of the map -> CSS pixels from the canvas's corner. */
  toCanvas(x, y) {
    return [(x - this.x) * this.side + this.width / 2, (y - this.y) * this.side + this.height / 2];
  }

  /** CSS pixels from the canvas's corner -> a place of the map. */
  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.side, this.y + (top - this.height / 2) / this.side];
  }

  /** Move what is seen by so many CSS pixels. */
  pan(right, down) {
    this.go({ x: this.x - right / this.side, y: this.y - down / this.side });
  }

  /** Enlarge by a factor; what is at these CSS pixels stays there. */
  zoomAt(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toMap(left, top);
    this.zoom = clamp(this.zoom * factor, 1, CLOSEST);
    const [nowX, nowY] = this.toMap(left, top);
    this.go({ x: this.x + x - nowX, y: this.y + y - nowY });
  }

  /** Go to a place, without losing the map from sight. */
  go({ x = this.x, y = this.y, zoom = this.zoom }) {
    this.zoom = clamp(zoom, 1, CLOSEST);
    [this.x, this.y] = [within(x, this.width / this.side), within(y, this.height / this.side)];
  }

  /** Whether a place is seen, not hard by the edge. */
  sees(x, y) {
    const [left, top] = this.toCanvas(x, y);
    const margin = 40; // CSS pixels
    return left > margin && left < this.width - margin && top > margin && top < this.height - margin;
  }

  /** The part that is seen, and a margin of so many CSS pixels: left, top, right and bottom on the map. */
  bounds(margin) {
    return [...this.toMap(-margin, -margin), ...this.toMap(this.width + margin, this.height + margin)];
  }

  /** The state, as the address holds it. */
  get state() {
    return { x: this.x, y: this.y, zoom: this.zoom };
  }
}

/** The state on the way from one to another, `done` from 0 to 1: enlarged evenly, and moved as fast as it is enlarged. */
export function between(from, to, done) {
  const eased = done < 0.5 ? 2 * done * done : 1 - 2 * (1 - done) * (1 - done);
  const zoom = from.zoom * (to.zoom / from.zoom) ** eased;
  const isFlat = Math.abs(to.zoom / from.zoom - 1) < 0.01;
  const share = isFlat ? eased : (1 / from.zoom - 1 / zoom) / (1 / from.zoom - 1 / to.zoom);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share, zoom };
}

/** Keep the middle of a view that sees such a part of the map on it: the less it sees, the nearer to the edge it may go. */
function within(middle, part) {
  const least = Math.min(1, part) ** 2 / 2;
  return clamp(middle, least, 1 - least);
}

function clamp(number, least, most) {
  return Math.min(most, Math.max(least, number));
}
