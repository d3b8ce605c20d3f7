"use strict";
const find = document.getElementById("filter");
const none = document.getElementById("none");
const services = [...document.querySelectorAll(".service")];

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => text.includes(word));
  let shown = 0;
  for (const service of services) {
    const own = service.dataset.words.toLowerCase();
    let inside = 0;
    for (const endpoint of service.querySelectorAll("details")) {
      const fit = fits(own + " " + endpoint.dataset.words.toLowerCase());
      endpoint.hidden = !fit;
      inside += fit;
    }
    service.hidden = inside === 0 && !fits(own);
    const id = service.querySelector("h2").id;
    document.querySelector(`aside a[href="#${CSS.escape(id)}"]`).parentElement.hidden = service.hidden;
    shown += !service.hidden;
  }
  none.hidden = shown > 0;
}

// A link to an endpoint opens it.
function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

find.addEventListener("input", filter);
addEventListener("hashchange", open);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
    event.preventDefault();
    find.focus();
  } else if (event.key === "Escape" && event.target === find) {
    find.value = "";
    filter();
  }
});
for (const details of document.querySelectorAll("details")) {
  details.addEventListener("toggle", () => details.open && history.replaceState(null, "", "#" + details.id));
}
for (const block of document.querySelectorAll(".example figure")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("pre").textContent);
    button.textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 1500);
  });
  if (navigator.clipboard) block.querySelector("figcaption").append(button);
}
filter();
open();
