/** The page of the API: buttons that copy examples, and answers in readable JSON. */

const announcement = document.querySelector("#announcement");

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
  button.addEventListener("blur", () => label(button, "Copy"));
}

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  const said = (await isCopied(code)) ? "Copied" : "Not copied, but selected: copy it with the keys or the menu";
  announce(said);
  if (said === "Copied") label(button, said);
}

function label(button, text) {
  button.firstElementChild.textContent = text;
}

/** Browsers have no clipboard for pages that come by plain HTTP from another computer, and may refuse the one they have. */
async function isCopied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}

/** Screen readers speak what changes, so a text that is there already goes first. */
function announce(text) {
  announcement.textContent = "";
  requestAnimationFrame(() => (announcement.textContent = text));
}

document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!/\bjson\b/.test(detail.xhr.getResponseHeader("Content-Type"))) return;
  detail.serverResponse = JSON.stringify(JSON.parse(detail.serverResponse), null, 2);
});
