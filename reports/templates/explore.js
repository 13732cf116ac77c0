// Explore: the value behind every mark by mouse, touch and keyboard; a level, a cell or a verdict highlighted in every
// figure; figures that open large. Texts are written as text, never as markup.
const known = document.getElementById("explore"), anyone = document.querySelector("svg[data-marks]");
if (known && anyone) {
  const { factors, cells, verdicts, texts, owners, panels } = JSON.parse(known.textContent);
  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const draw = (name, attributes) => {
    const drawn = document.createElementNS(anyone.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) drawn.setAttribute(key, value);
    return drawn;
  };
  const phrases = new Map(factors.flatMap(({ kind, levels, phrases }) => levels.map((level, at) => [kind + "\n" + level, phrases[at]])));
  const byCell = new Map(cells.map(([number, places, trials]) => [
    String(number),
    { trials, levels: new Map(factors.map(({ kind, levels }, at) => [kind, levels[places[at]]])) },
  ]));
  const cellPhrase = (name) => {
    const { levels } = byCell.get(name);
    return `cell ${name}: ` + [...levels].map(([kind, level]) => phrases.get(kind + "\n" + level)).join(", ");
  };
  const say = ([kind, name]) => (kind === "cell" ? (byCell.has(name) ? cellPhrase(name) : `cell ${name}`) : phrases.get(kind + "\n" + name) ?? name);

  // Highlighting: what belongs to another level, cell or verdict is dimmed; what is nobody's stays.
  let choice = null;
  const belongs = (owner, [kind, name]) => {
    const mine = owner.filter((pair) => pair[0] === kind);
    if (mine.length) return mine.some((pair) => pair[1] === name);
    if (kind === "cell") {
      const levels = byCell.get(name)?.levels ?? new Map();
      return [...levels].every(([of, level]) => {
        const there = owner.filter((pair) => pair[0] === of);
        return !there.length || there.some((pair) => pair[1] === level);
      });
    }
    const around = owner.filter((pair) => pair[0] === "cell" && byCell.has(pair[1]));
    return kind === "verdict" || !around.length || around.some((pair) => byCell.get(pair[1]).levels.get(kind) === name);
  };
  const isOff = (place) => choice !== null && !belongs(owners[place], choice);
  const elementsOf = (group) => [...group.children].filter((each) => each.localName === "path").concat([...group.querySelectorAll("use")]);
  const said = make("p", { class: "unseen", role: "status" });
  const apply = () => {
    const off = owners.map((_, place) => isOff(place));
    for (const part of document.querySelectorAll("svg[data-of],svg [data-of]")) part.classList.toggle("dim", off[part.dataset.of]);
    for (const row of document.querySelectorAll("tr[data-of]")) row.classList.toggle("lit", choice !== null && !off[row.dataset.of]);
    for (const group of document.querySelectorAll("[data-each]")) {
      const places = group.dataset.each.split(","), elements = elementsOf(group);
      // One element for each; where one could not be drawn, it is not known which is whose.
      if (elements.length === places.length) elements.forEach((each, at) => each.classList.toggle("dim", off[places[at]]));
    }
    for (const svg of document.querySelectorAll("svg[data-marks]")) {
      svg.querySelector(":scope > .veils")?.remove();
      const hidden = panels[svg.dataset.marks][2].filter((area) => off[area[4]]);
      if (!hidden.length) continue;
      const veils = draw("g", { class: "veils" });
      veils.append(...hidden.map(([x, y, width, height]) => draw("rect", { x: x / 10 - 2, y: y / 10 - 2, width: width / 10 + 4, height: height / 10 + 4 })));
      svg.append(veils);
    }
    if (menu) {
      menu.value = choice ? choice.join("\n") : "";
      clear.hidden = !choice;
    }
    said.textContent = choice ? `Highlighted: ${say(choice)}. The rest is dimmed in every figure.` : "Nothing is highlighted.";
  };
  const choose = (pair) => {
    choice = pair;
    apply();
  };
  let menu = null, clear = null;
  const nav = document.querySelector(".contents");
  const groups = [
    ...factors.filter(({ levels }) => levels.length > 1).map(({ kind, name, levels, phrases }) => [name, levels.map((level, at) => [[kind, level], phrases[at]])]),
    ["verdict", verdicts.map((name) => [["verdict", name], name])],
    ["cell", cells.length > 1 ? cells.map(([number]) => [["cell", String(number)], cellPhrase(String(number))]) : []],
  ].filter(([, options]) => options.length);
  if (nav && groups.length) {
    menu = make("select", {}, make("option", { value: "" }, "nothing"));
    for (const [name, options] of groups)
      menu.append(make("optgroup", { label: name }, ...options.map(([pair, text]) => make("option", { value: pair.join("\n") }, text))));
    clear = make("button", { type: "button" }, "Clear");
    clear.hidden = true;
    menu.addEventListener("change", () => choose(menu.value ? menu.value.split("\n") : null));
    clear.addEventListener("click", () => {
      choose(null);
      menu.focus();
    });
    nav.append(make("div", { class: "choose" }, make("label", {}, "Highlight ", menu), clear));
  }

  // Marks: decoded when a panel is first touched.
  const decoded = new Map();
  const marksOf = (svg) => {
    const number = svg.dataset.marks;
    if (!decoded.has(number)) {
      const marks = [];
      panels[number][1].forEach(([parts, dx, dy, owner, before, after, across], group) => {
        const columns = parts.map((part) => {
          const text = texts[Array.isArray(part) ? part[0] : part];
          return Array.isArray(part) && typeof text === "string" ? text.split("|") : text;
        });
        let x = 0, y = 0;
        dx.forEach((step, at) => {
          x += step;
          y += dy[at];
          const [low, high] = before ? [before[at], after[at]].map((end) => end / 10) : [0, 0];
          marks.push({
            group,
            x: x / 10,
            y: y / 10,
            left: across ? low : 0,
            right: across ? high : 0,
            up: across ? 0 : Math.min(low, high),
            down: across ? 0 : Math.max(low, high),
            owner: owners[Array.isArray(owner) ? owner[at] : owner],
            text: () => columns.map((column) => (Array.isArray(column) ? column[at] : column)).join(""),
          });
        });
      });
      decoded.set(number, marks);
    }
    return decoded.get(number);
  };
  const REACH = 32; // CSS pixels from a mark at which it is still meant
  const scaleOf = (svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const outside = (value, low, high) => Math.max(low - value, value - high, 0);
  const nearest = (svg, event) => {
    const box = svg.getBoundingClientRect(), scale = scaleOf(svg);
    const x = (event.clientX - box.left) / scale, y = (event.clientY - box.top) / scale;
    let best = null, least = REACH / scale;
    for (const mark of marksOf(svg)) {
      const away = Math.hypot(outside(x, mark.x + mark.left, mark.x + mark.right), outside(y, mark.y + mark.up, mark.y + mark.down));
      if (away < least) [best, least] = [mark, away];
    }
    return best;
  };

  const tip = make("div", { class: "mark-tip", popover: "manual", "aria-hidden": "true" });
  const panel = make("div", { class: "mark-panel", popover: "auto", role: "dialog", "aria-label": "What this mark shows" });
  document.body.append(said, tip, panel);
  const ring = draw("circle", { class: "ring" });
  const titled = (svg, mark) => {
    const heading = panels[svg.dataset.marks][0], text = mark.text();
    return heading && !text.toLowerCase().startsWith(heading.toLowerCase()) ? [make("b", {}, heading), text] : [text];
  };
  const place = (box, svg, mark) => {
    const at = svg.getBoundingClientRect(), scale = scaleOf(svg), size = box.getBoundingClientRect();
    const x = at.left + mark.x * scale, y = at.top + mark.y * scale;
    const top = y - size.height - 12 < 4 ? y + 14 : y - size.height - 12;
    box.style.left = `${Math.max(4, Math.min(x - size.width / 2, document.documentElement.clientWidth - size.width - 4))}px`;
    box.style.top = `${Math.max(4, Math.min(top, innerHeight - size.height - 4))}px`;
  };
  let read = null; // the mark that arrow keys have led to
  const hideMark = () => {
    read = null;
    ring.remove();
    if (tip.matches(":popover-open")) tip.hidePopover();
  };
  const showMark = (svg, mark) => {
    for (const [name, value] of Object.entries({ cx: mark.x, cy: mark.y, r: 7 / scaleOf(svg) })) ring.setAttribute(name, value);
    svg.append(ring);
    tip.replaceChildren(...titled(svg, mark));
    if (tip.matches(":popover-open")) tip.hidePopover(); // shown anew, it stands above an opened figure, too
    tip.showPopover();
    place(tip, svg, mark);
  };
  const choicesOf = ({ owner }) => {
    const found = owner.filter(([kind]) => kind !== "cell");
    let named = owner.filter(([kind, name]) => kind === "cell" && byCell.has(name)).map(([, name]) => name);
    if (!named.length && byCell.size) {
      // One level of every factor is a cell.
      const levels = new Map(found);
      const whole = factors.every(({ kind }) => found.filter((pair) => pair[0] === kind).length === 1);
      named = whole ? [...byCell].filter(([, cell]) => [...cell.levels].every(([kind, level]) => levels.get(kind) === level)).map(([name]) => name) : [];
    }
    const several = factors.filter(({ levels }) => levels.length > 1).map(({ kind }) => kind);
    const others = named.flatMap((name) => [...byCell.get(name).levels]);
    const pairs = [...named.map((name) => ["cell", name]), ...found, ...others].filter(([kind]) => !kind.startsWith("=") || several.includes(kind));
    const trials = named.flatMap((name) => byCell.get(name).trials);
    for (const { kind, levels, trials: own } of factors)
      if (own) for (const [of, name] of found) if (of === kind) trials.push(...own[levels.indexOf(name)]);
    return { pairs: [...new Map(pairs.map((pair) => [pair.join("\n"), pair])).values()], trials: [...new Set(trials)] };
  };
  const openPanel = (svg, mark) => {
    const { pairs, trials } = choicesOf(mark);
    const close = () => panel.hidePopover();
    const buttons = pairs.map((pair) => {
      const button = make("button", { type: "button" }, say(pair));
      const isChosen = choice !== null && choice.join("\n") === pair.join("\n");
      button.setAttribute("aria-pressed", isChosen);
      button.addEventListener("click", () => {
        choose(isChosen ? null : pair);
        close();
      });
      return button;
    });
    const links = trials.map((number) => make("a", { href: `trials/trial-${number}.html` }, `Page of trial ${number}`));
    panel.replaceChildren(make("p", {}, ...titled(svg, mark)));
    if (menu && buttons.length) panel.append(make("p", { class: "lead", id: "mark-highlight" }, "Highlight"), make("div", { role: "group", "aria-labelledby": "mark-highlight" }, ...buttons));
    if (links.length) panel.append(make("p", { class: "pages" }, ...links));
    const shut = make("button", { type: "button", class: "shut" }, "Close");
    shut.addEventListener("click", close);
    panel.append(shut);
    (large.open ? large : document.body).append(panel); // what lies outside an opened figure cannot be touched
    hideMark();
    panel.showPopover();
    place(panel, svg, mark);
    panel.querySelector("button,a").focus({ preventScroll: true });
    svg.append(ring);
  };
  panel.addEventListener("toggle", (event) => event.newState === "closed" && ring.remove());

  // Every figure: hover, tap, arrow keys, and a button that opens it large.
  const explored = [...document.querySelectorAll("figure")].filter((figure) => figure.querySelector("svg[data-marks]"));
  const large = make("dialog", { class: "large", "aria-labelledby": "large-title" });
  const title = make("h2", { id: "large-title" }), shut = make("button", { type: "button" }, "Close"), inside = make("div", { class: "inside" });
  const placeholder = make("div");
  let opened = null;
  large.append(make("div", { class: "bar" }, title, shut), inside);
  document.body.append(large);
  const fit = () => {
    const svgs = [...inside.querySelectorAll("svg[data-marks]")];
    const wide = Math.max(...svgs.map((svg) => svg.viewBox.baseVal.width)), high = Math.max(...svgs.map((svg) => svg.viewBox.baseVal.height));
    const gap = 28, room = [inside.clientWidth - 8, inside.clientHeight - 8];
    // No smaller than on the page: what is wider than the window scrolls there, too.
    let scale = opened.box.matches(".scroll") ? 4 / 3 : Math.min(4 / 3, room[0] / wide);
    for (let columns = 1; columns <= svgs.length; columns += 1) {
      const rows = Math.ceil(svgs.length / columns);
      scale = Math.max(scale, Math.min((room[0] - gap * (columns - 1)) / (columns * wide), (room[1] - gap * (rows - 1)) / (rows * high)));
    }
    for (const svg of svgs) svg.style.width = `${Math.min(scale, 4) * svg.viewBox.baseVal.width}px`;
  };
  let silent = false; // an opened figure has the focus at once, and shows a value from the first arrow key on
  const enlarge = (figure) => {
    if (opened) return;
    const box = figure.querySelector(".panels,.scroll");
    hideMark();
    opened = { box, back: document.activeElement };
    placeholder.style.height = `${box.offsetHeight}px`;
    box.replaceWith(placeholder);
    inside.append(box);
    title.textContent = headingOf(figure);
    large.showModal();
    fit();
    inside.scrollTo(0, 0);
    silent = true;
    box.querySelector(".reader")?.focus({ preventScroll: true });
    silent = false;
  };
  large.addEventListener("close", () => {
    hideMark();
    document.body.append(panel);
    for (const svg of opened.box.querySelectorAll("svg[data-marks]")) svg.style.width = "";
    placeholder.replaceWith(opened.box);
    opened.back.focus({ preventScroll: true });
    opened = null;
  });
  large.addEventListener("click", (event) => event.target === large && large.close());
  shut.addEventListener("click", () => large.close());
  addEventListener("resize", () => (opened ? fit() : hideMark()));
  addEventListener("beforeprint", () => large.open && large.close());
  addEventListener("keydown", (event) => event.key === "Escape" && hideMark());
  addEventListener("scroll", () => (read ? place(tip, ...read) : hideMark()), { passive: true, capture: true });
  const headingOf = (figure) => figure.querySelector("figcaption").textContent.trim();

  for (const figure of explored) {
    const box = figure.querySelector(".panels,.scroll"), svgs = [...box.querySelectorAll("svg[data-marks]")], name = headingOf(figure);
    for (const svg of svgs) {
      svg.addEventListener("pointermove", (event) => {
        if (event.pointerType === "touch") return; // a finger that moves scrolls; a tap opens what the mark says
        const mark = nearest(svg, event);
        svg.classList.toggle("over", mark !== null);
        if (mark) showMark(svg, mark);
        else hideMark();
      });
      svg.addEventListener("pointerleave", () => panel.matches(":popover-open") || hideMark());
      svg.addEventListener("click", (event) => {
        const mark = nearest(svg, event);
        if (mark) openPanel(svg, mark);
      });
    }
    // A slider's value text is announced as it changes, and its arrow keys reach a page inside a screen reader.
    const all = () => svgs.flatMap((svg) => marksOf(svg).map((mark) => ({ svg, mark })));
    const num = svgs.reduce((sum, svg) => sum + panels[svg.dataset.marks][1].reduce((most, group) => most + group[1].length, 0), 0);
    if (num) {
      let at = 0;
      const reader = make("div", { class: "reader", role: "slider", tabindex: "0", "aria-label": `Values of: ${name}`, "aria-valuemin": "1", "aria-valuemax": num, "aria-valuenow": "1" });
      const tell = (shows) => {
        const { svg, mark } = all()[at];
        reader.setAttribute("aria-valuenow", at + 1);
        reader.setAttribute("aria-valuetext", titled(svg, mark).map((part) => part.textContent ?? part).join(": "));
        if (!shows) return;
        svg.scrollIntoView({ block: "nearest", inline: "nearest" });
        showMark(svg, mark);
        read = [svg, mark];
      };
      const marks = (step) => Math.max(0, Math.min(at + step, num - 1));
      // The nearest mark of the next line, bar or row of boxes.
      const lines = (step) => {
        const found = all(), key = ({ svg, mark }) => `${svgs.indexOf(svg)}/${mark.group}`, here = found[at];
        let next = at;
        while (found[next] && key(found[next]) === key(here)) next += step;
        if (!found[next]) return at;
        const line = key(found[next]);
        return found.reduce((best, each, place) => (key(each) === line && (best < 0 || Math.abs(each.mark.x - here.mark.x) < Math.abs(found[best].mark.x - here.mark.x)) ? place : best), -1);
      };
      const pages = (step) => {
        const goal = svgs.indexOf(all()[at].svg) + step, found = all().findIndex(({ svg }) => svgs.indexOf(svg) === goal);
        return found < 0 ? at : found;
      };
      const keys = {
        ArrowRight: () => marks(1), ArrowLeft: () => marks(-1), ArrowDown: () => lines(1), ArrowUp: () => lines(-1),
        PageDown: () => pages(1), PageUp: () => pages(-1), Home: () => 0, End: () => num - 1,
      };
      reader.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        if (keys[event.key]) at = keys[event.key]();
        else if (event.key === "Enter" || event.key === " ") openPanel(all()[at].svg, all()[at].mark);
        else if (event.key === "Escape" && tip.matches(":popover-open")) hideMark();
        else return;
        event.preventDefault();
        if (keys[event.key]) tell(true);
      });
      // Not at once: the focus may come back from offers that are just being closed.
      reader.addEventListener("focus", () => {
        const shows = !silent;
        requestAnimationFrame(() => document.activeElement === reader && tell(shows && reader.matches(":focus-visible")));
      });
      reader.addEventListener("blur", hideMark);
      reader.setAttribute("aria-valuetext", "Arrow keys go from value to value");
      box.prepend(reader);
    }
    const button = make("button", { type: "button", class: "enlarge", title: "Enlarge", "aria-label": `Enlarge: ${name}` });
    const icon = draw("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" });
    icon.append(draw("path", { d: "M9.5 2H14v4.5M6.5 14H2V9.5M14 2 9 7M2 14l5-5" }));
    button.append(icon);
    button.addEventListener("click", () => enlarge(figure));
    figure.querySelector("figcaption").append(" ", button);
  }
}
