"use strict";
// The page is whole without this script: it adds sorting, filtering and the mark in the table of contents.
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
  const sections = [...document.querySelectorAll("main section")];
  const seen = sections.filter((section) => section.getBoundingClientRect().top < window.innerHeight / 3);
  const current = (seen.at(-1) || sections[0]).id;
  links.forEach((link, id) => (id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
};
addEventListener("scroll", mark, { passive: true });
mark();
const folded = document.querySelector(".contents details");
folded.addEventListener("click", (event) => { if (event.target.closest("a")) folded.open = false; });
addEventListener("beforeprint", () => document.querySelectorAll("details.table").forEach((details) => (details.open = true)));
{% include "lottery.js" %}
