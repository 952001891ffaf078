/** Says so in place when a request of htmx gets no answer at all; answers that are errors bring their own words. */

const notice = document.querySelector("#notice");
const noConnection = document.querySelector("#no-connection");

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(failure, () => notice.replaceChildren(noConnection.content.cloneNode(true)));
}
document.body.addEventListener("htmx:beforeRequest", () => notice.replaceChildren());
