/** The tools of the pad: which one is chosen, kept in the tab. A form may have a single one, as a hidden field. */

const STORE = "tool"; // key in the session storage of the tab
const KEYS = { 1: "fine", 2: "medium", 3: "broad", e: "eraser", m: "move" };
const PENS = ["fine", "medium", "broad"];

export class Tools {
  #form;
  #pen; // that was chosen last

  /**
   * @param {HTMLFormElement} form
   * @param {boolean} isNarrow - whether the pad has room for a number only if its digits are small
   */
  constructor(form, isNarrow) {
    this.#form = form;
    this.#pen = this.current;
    if (isNarrow) this.#choose("fine");
    this.#choose(sessionStorage.getItem(STORE));
    form.addEventListener("change", () => this.#keep());
  }

  get current() {
    return this.#form.elements.tool.value;
  }

  /** The tool that a key chooses, if any. */
  static of(key) {
    return KEYS[key];
  }

  take(tool) {
    this.#choose(tool);
    this.#keep();
  }

  /** A pen again, where there is nothing to erase or to move. */
  takePen() {
    if (!PENS.includes(this.current)) this.take(this.#pen);
  }

  #choose(tool) {
    if (this.#form.querySelector(`[name=tool][value="${tool}"]`)) this.#form.elements.tool.value = tool;
    if (PENS.includes(this.current)) this.#pen = this.current;
  }

  #keep() {
    if (PENS.includes(this.current)) this.#pen = this.current;
    sessionStorage.setItem(STORE, this.current);
  }
}
