// A page that was not written again for minutes was left by a run that no longer lives: then that stands first.
const left = document.querySelector("[data-stale-after]");
if (left) {
  const told = Date.parse(document.querySelector("[data-as-of]").dateTime);
  const look = () => (left.hidden = Date.now() - told < left.dataset.staleAfter * 60000);
  look();
  setInterval(look, 5000);
}
