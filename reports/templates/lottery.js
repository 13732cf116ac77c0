// Draws again: all configurations in one block, as a sweep with one seed and one split would have trained them.
const lottery = document.querySelector("[data-lottery]");
if (lottery) {
  const { names, losses, sign = 1, unit = "nats" } = JSON.parse(lottery.dataset.lottery); // the lowest mean over all blocks comes first
  const button = document.createElement("button");
  const told = document.createElement("p");
  let drawn = 0, other = 0;
  button.type = "button";
  button.textContent = "Draw a sweep with one seed";
  told.setAttribute("aria-live", "polite");
  button.addEventListener("click", () => {
    const block = Math.floor(Math.random() * losses[0].length);
    const scores = losses.map((row) => row[block] ?? Infinity); // not every configuration need have a network there
    const first = scores.indexOf(Math.min(...scores));
    drawn += 1;
    other += first > 0;
    const rank = first > 0 ? `, number ${first + 1} of ${names.length} over all blocks` : ", as all blocks together do";
    told.textContent = `In this sweep ${names[first]} comes out first, at ${`${(sign * scores[first]).toFixed(3)} ${unit}`.trim()}${rank}. `
      + `So far ${other} of ${drawn} put another configuration first.`;
  });
  lottery.append(button, told);
}
