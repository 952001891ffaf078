/** The end of the ten-digit challenge: the score, and the card to save, share or copy. */

import { cardInWords, cardOf } from "./challenge-card.js";
import { DIGITS, timeInWords } from "./challenge-game.js";

const NAME = "ten-digits.png"; // of the card as a file

const result = document.querySelector("#result");
const figure = result.querySelector("figure");
const [save, share, copy] = ["save", "share", "copy"].map((action) => result.querySelector(`[data-action=${action}]`));
const announcement = document.querySelector("#announcement");
const darkness = matchMedia("(prefers-color-scheme: dark)");

let shown = null; // the game and its time
let card = null; // the picture as a file

/**
 * Show how the game went, and its card.
 *
 * @param {Game} game
 * @param {string} time - such as "0:42"
 * @param {boolean} takesFocus - whether the game has just ended
 */
export async function showResult(game, time, takesFocus = true) {
  shown = [game, time];
  result.hidden = false;
  const heading = result.querySelector("h2");
  heading.textContent = `${game.readCount} of ${DIGITS} ${timeInWords(game, time)}`;
  if (takesFocus) heading.focus();
  const lines = cardInWords(game, time, address());
  result.querySelector(".in-words").replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
  await paintCard();
}

/** Forget the game and its card. */
export function hideResult() {
  result.hidden = true;
  result.querySelector(".told").textContent = "";
  figure.replaceChildren();
  URL.revokeObjectURL(save.href);
  save.removeAttribute("href");
  shown = card = null;
}

async function paintCard() {
  const { readCount } = shown[0];
  const style = getComputedStyle(result);
  const canvas = cardOf(...shown, address(), (name) => style.getPropertyValue(`--${name}`));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `The card: ten drawings, ${readCount} of them read. Its words are below.`);
  canvas.setAttribute("aria-details", "card-in-words");
  figure.replaceChildren(canvas);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  if (figure.firstChild !== canvas) return; // another game, or another colour scheme
  card = new File([blob], NAME, { type: "image/png" });
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(card);
  share.hidden = !navigator.canShare?.({ files: [card] });
}

function address() {
  return `${location.host}${location.pathname}`;
}

function words() {
  return cardInWords(...shown, location.href).join("\n");
}

darkness.addEventListener("change", () => shown && paintCard());

share.addEventListener("click", async () => {
  try {
    await navigator.share({ files: [card], title: "Ten-digit challenge", text: words() });
  } catch (error) {
    // The person who changes their mind needs no message.
    if (error.name !== "AbortError") tell("The card could not be shared. Save it instead.");
  }
});

// A browser that copies no pictures copies the words.
copy.addEventListener("click", async () => {
  try {
    await navigator.clipboard.write([new ClipboardItem({ [card.type]: card })]);
    tell("The card is copied.");
  } catch {
    await navigator.clipboard.writeText(words()).then(
      () => tell("The words of the card are copied."),
      () => tell("The card could not be copied. Save it instead."),
    );
  }
});

function tell(text) {
  result.querySelector(".told").textContent = text;
  announcement.textContent = text;
}
// Only over HTTPS, and on this machine.
copy.hidden = !navigator.clipboard;
