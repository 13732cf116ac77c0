// What a page that was mailed alone can hand out is in it: files, compressed, and its drawings, which are written here as
// the files of figures hold them. Without script, or in a browser that cannot unpack, links lead to files beside the page.
{
const kept = new Map([...document.querySelectorAll("script[data-file]")].map((block) => [block.dataset.file, block]));
const unpacked = (name) => {
  const bytes = Uint8Array.from(atob(kept.get(name).textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
};
const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
const drawnAs = () => {
  const sheet = document.querySelector("style").textContent, inks = new Map(), styles = new Map();
  for (const [, name, ink] of sheet.matchAll(/(--[\w-]+):(#[0-9a-f]{6})/g)) if (!inks.has(name)) inks.set(name, ink); // the first ones are for light ground
  for (const [, name, rules] of sheet.matchAll(/\.(k\d+)\{([^}]*)\}/g)) {
    styles.set(name, rules.replace(/[:;]/g, "$& ").replace(/var\((--[\w-]+)\)/g, (_, ink) => inks.get(ink)));
  }
  const attribute = ({ name, value }) => {
    if (name !== "class") return ` ${name}="${escaped(value).replace(/"/g, "&quot;").replace(/'/g, "&apos;")}"`;
    const style = value.split(" ").find((each) => styles.has(each));
    return style ? ` style="${styles.get(style)}"` : "";
  };
  const isOfPage = ({ name }) => /^(data-|aria-|role$|tabindex$)/.test(name); // what the page adds for its readers
  const written = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return escaped(node.data);
    const inner = [...node.childNodes].map(written).join("");
    const tag = node.tagName + [...node.attributes].filter((each) => !isOfPage(each)).map(attribute).join("");
    return inner ? `<${tag}>${inner}</${node.tagName}>` : `<${tag}/>`;
  };
  return (svg) => [...svg.childNodes].map(written).join("").replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
};
const svgOf = async (slug) => {
  const [first, ...rest] = (await unpacked("figures/").json())[slug], written = drawnAs();
  const drawings = document.querySelectorAll(`#figure-${slug} .panels > svg, #figure-${slug} .scroll > svg`);
  return first + rest.map((after, place) => written(drawings[place]) + after).join("");
};
const pngOf = async (slug) => {
  const image = new Image(), canvas = document.createElement("canvas");
  image.src = "data:image/svg+xml," + encodeURIComponent(await svgOf(slug));
  await image.decode();
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight].map((size) => Math.ceil(size * 1.25)); // 120 dots an inch
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
};
const handedOut = (name) => {
  const [, slug, ending] = /^figures\/([\w-]+)\.(svg|png)$/.exec(name) || [];
  if (ending === "svg") return svgOf(slug).then((text) => new Blob([text], { type: "image/svg+xml" }));
  return ending === "png" ? pngOf(slug) : unpacked(name).blob();
};
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]"), name = link ? link.getAttribute("href") : "";
  if (event.ctrlKey || event.metaKey || event.shiftKey || !("DecompressionStream" in window)) return;
  if (!kept.has(name) && !(kept.has("figures/") && /^figures\/[\w-]+\.(svg|png)$/.test(name))) return;
  event.preventDefault();
  handedOut(name).then((blob) => {
    const made = document.createElement("a");
    made.href = URL.createObjectURL(blob);
    made.download = name.split("/").pop();
    made.click();
    setTimeout(() => URL.revokeObjectURL(made.href), 60000);
  }, () => location.assign(link.href)); // what cannot be made here may lie beside the page
});
}
