"use strict";
// The page is whole without this script: it adds the search, which the list of a few studies does not need.
const studies = [...document.querySelectorAll("article")].map((element) => [element, element.textContent.toLowerCase()]);
if (studies.length > 1) {
  const search = document.createElement("search");
  const label = document.createElement("label");
  const field = document.createElement("input");
  const found = document.createElement("p");
  field.type = "search";
  field.autocomplete = "off";
  field.spellcheck = false;
  label.append("Search names, questions, verdicts", field);
  found.className = "scope";
  found.setAttribute("role", "status");
  search.append(label, found);
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [element, text] of studies) {
      element.hidden = !words.every((word) => text.includes(word));
      shown += element.hidden ? 0 : 1;
    }
    found.textContent = !words.length ? "" : shown ? `${shown} of ${studies.length}` : "None has all of these words.";
  };
  field.addEventListener("input", show);
  document.getElementById("studies").before(search);
  show(); // a browser that goes back to the page may have kept what was typed
}
