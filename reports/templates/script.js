"use strict";
// The page is whole without this script: it adds sorting, filtering, the mark in the table of contents, tooltips on hover
// the opening of folded parts by link and for printing, the exploring of figures, and downloads from within the page.
for (const table of document.querySelectorAll(".table table")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, column) => {
    const label = head.querySelector(".head");
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort by this column";
    label.replaceWith(button);
    button.append(label);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order > 0 ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.v;
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x !== undefined && y !== undefined) return order * (Number(x) - Number(y));
        if (x !== undefined || y !== undefined) return x === undefined ? 1 : -1;
        return order * a.cells[column].textContent.localeCompare(b.cells[column].textContent);
      });
      body.append(...rows);
    });
  });
  if (table.hasAttribute("data-filter")) {
    const filter = document.createElement("input");
    filter.type = "search";
    filter.className = "filter";
    filter.placeholder = "Filter rows";
    filter.setAttribute("aria-label", "Filter rows of: " + table.getAttribute("aria-label"));
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
    table.parentElement.before(filter);
  }
}
const links = new Map([...document.querySelectorAll(".following a")].map((link) => [link.hash.slice(1), link]));
const mark = () => {
  if (!links.size) return; // a page without a table of contents, as that of a trial
  const sections = [...document.querySelectorAll("main section")];
  const seen = sections.filter((section) => section.getBoundingClientRect().top < window.innerHeight / 3);
  const current = (seen.at(-1) || sections[0]).id;
  links.forEach((link, id) => (id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
};
addEventListener("scroll", mark, { passive: true });
addEventListener("resize", mark);
document.addEventListener("toggle", mark, true); // a part that opens or closes moves those below it, and nothing scrolls
mark();
const folded = document.querySelector(".contents details");
folded?.addEventListener("click", (event) => { if (event.target.closest("a")) folded.open = false; });
// A link into a folded part opens it and all that it lies in.
const unfold = () => {
  const target = document.getElementById(location.hash.slice(1)); // every id is plain ASCII
  if (!target) return;
  const inner = target.matches("details") ? target : target.querySelector(":scope > details.fold");
  if (inner) inner.open = true;
  for (let each = target.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.hash === location.hash) unfold(); // the same link once more changes no hash
});
if (location.hash) unfold();
let printed = [];
addEventListener("beforeprint", () => {
  printed = [...document.querySelectorAll("details:not([open])")];
  printed.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => printed.forEach((details) => (details.open = false)));
// Terms explain themselves on a click or a touch; with a mouse or the keyboard already on arriving.
let shown = null;
const tip = (term) => document.getElementById(term.getAttribute("popovertarget"));
const hide = () => {
  if (shown && tip(shown).matches(":popover-open")) tip(shown).hidePopover();
  shown = null;
};
const show = (term) => {
  if (shown === term) return;
  hide();
  term.removeAttribute("title"); // else the browser's own tooltip stands on top
  if (!tip(term).matches(":popover-open")) tip(term).showPopover({ source: term });
  shown = term;
};
for (const term of document.querySelectorAll(".term")) {
  term.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(term));
  term.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  term.addEventListener("focus", () => term.matches(":focus-visible") && show(term));
  term.addEventListener("blur", hide);
  term.addEventListener("click", (event) => shown === term && tip(term).matches(":popover-open") && event.preventDefault());
}
{% include "lottery.js" %}
{% include "explore.js" %}
{% include "downloads.js" %}
