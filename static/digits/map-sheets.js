/** The pictures of the tiles, in sheets that are loaded when they are first seen, with the ink in the colour of the digit. */

const HARD = 0; // the sheet of all hard tiles

/** The sheets of a map. Fires "loaded" when there is a new one to paint with. */
export class Sheets extends EventTarget {
  #tiles;
  #address;
  #across;
  #pictures = new Map(); // address -> image
  #tinted = new Map(); // address -> canvas with coloured ink
  #colours = [];

  /**
   * @param {Tiles} tiles
   * @param {string} address of the small sheet of the hard tiles, in which the size and the number are exchanged.
   * @param {number} across tiles of a sheet, along each side
   */
  constructor(tiles, address, across) {
    super();
    this.#tiles = tiles;
    this.#address = address;
    this.#across = across;
  }

  /** Have the ink in other colours, one for each digit. */
  colour(colours) {
    this.#colours = colours;
    this.#tinted.clear();
  }

  /**
   * The picture of a tile in a size: what `drawImage` takes before the target; null until its sheet is loaded.
   * A sheet of another size stands in for one that is on its way.
   */
  find(number, size, sizes) {
    const place = number % this.#across ** 2;
    const sheet = Math.floor(number / this.#across ** 2) + 1;
    return this.#cell(sheet, place, size) ?? this.#standIn(sheet, place, sizes);
  }

  /** The picture of the hard tile that is the so manieth in their sheet. */
  findHard(place, size) {
    return place < this.#across ** 2 ? this.#cell(HARD, place, size) : null;
  }

  #standIn(sheet, place, sizes) {
    const loaded = sizes.find((size) => this.#tinted.has(this.#addressOf(sheet, size)));
    return loaded ? this.#cell(sheet, place, loaded) : null;
  }

  #addressOf(sheet, size) {
    return this.#address.replace(/\d+\/\d+\.png$/, `${size}/${sheet}.png`);
  }

  #cell(sheet, place, size) {
    const address = this.#addressOf(sheet, size);
    if (!this.#pictures.has(address)) this.#load(address);
    const picture = this.#pictures.get(address);
    if (!picture.isLoaded) return null;
    if (!this.#tinted.has(address)) this.#tinted.set(address, this.#tint(picture.image, sheet, size));
    const [row, column] = [Math.floor(place / this.#across), place % this.#across];
    return [this.#tinted.get(address), column * size, row * size, size, size];
  }

  #load(address) {
    const picture = { image: new Image(), isLoaded: false };
    this.#pictures.set(address, picture);
    picture.image.addEventListener("load", () => {
      picture.isLoaded = true;
      this.dispatchEvent(new Event("loaded"));
    });
    picture.image.src = address;
  }

  /** The ink of each tile of a sheet in the colour of its digit. */
  #tint(image, sheet, size) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    context.globalCompositeOperation = "source-atop";
    const cells = (canvas.height / size) * this.#across;
    for (let place = 0; place < cells; place++) {
      const number = sheet === HARD ? this.#tiles.hard[place] : (sheet - 1) * this.#across ** 2 + place;
      context.fillStyle = this.#colours[this.#tiles.digit[number]] ?? "transparent";
      context.fillRect((place % this.#across) * size, Math.floor(place / this.#across) * size, size, size);
    }
    return canvas;
  }
}
