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

  // Highlighting: 1 what is of the choice, -1 what is of another level, cell or verdict, 0 what is nobody's: it stays.
  let choice = null;
  const stands = (owner, [kind, name]) => {
    const mine = owner.filter((pair) => pair[0] === kind);
    if (mine.length) return mine.some((pair) => pair[1] === name) ? 1 : -1;
    if (kind === "verdict") return 0;
    if (kind === "cell") {
      const found = [...(byCell.get(name)?.levels ?? [])].map(([of, level]) => [level, owner.filter((pair) => pair[0] === of)]).filter(([, there]) => there.length);
      if (!found.length) return 0;
      return found.every(([level, there]) => there.some((pair) => pair[1] === level)) ? 1 : -1;
    }
    const around = owner.filter((pair) => pair[0] === "cell" && byCell.has(pair[1]));
    if (!around.length) return 0;
    return around.some((pair) => byCell.get(pair[1]).levels.get(kind) === name) ? 1 : -1;
  };
  const elementsOf = (group) => [...group.children].filter((each) => each.localName === "path").concat([...group.querySelectorAll("use")]);
  // The drawings of each figure: what in them is whose, as pairs of an element or a box and the place of its owner.
  const figures = new Map();
  for (const svg of document.querySelectorAll("svg[data-marks]")) {
    const figure = svg.closest("figure") ?? svg, [heading, , boxes] = panels[svg.dataset.marks];
    const parts = [...svg.querySelectorAll("[data-of]")].map((part) => [part, part.dataset.of]);
    for (const group of svg.querySelectorAll("[data-each]")) {
      const places = group.dataset.each.split(","), elements = elementsOf(group);
      // One element for each; where one could not be drawn, it is not known which is whose.
      if (elements.length === places.length) elements.forEach((each, at) => parts.push([each, places[at]]));
    }
    if (!figures.has(figure)) figures.set(figure, []);
    figures.get(figure).push({ svg, heading, parts, boxes });
  }
  const said = make("p", { class: "unseen", role: "status" });
  const short = ([kind, name]) => (kind === "cell" ? `of cell ${name}` : kind === "verdict" ? name : `of ${say([kind, name])}`);
  const apply = () => {
    const ways = owners.map((owner) => (choice ? stands(owner, choice) : 0));
    for (const row of document.querySelectorAll("tr[data-of]")) {
      row.classList.toggle("lit", ways[row.dataset.of] > 0);
      row.classList.toggle("dim", ways[row.dataset.of] < 0);
    }
    for (const [figure, drawings] of figures) {
      const found = drawings.map(({ svg, parts, boxes }) => {
        const own = ways[svg.dataset.of] ?? 0, inside = parts.map((part) => ways[part[1]]).concat(boxes.map((box) => ways[box[4]]));
        return { own, has: inside.includes(1) || (own > 0 && !inside.includes(-1)), other: own < 0 || inside.includes(-1) };
      });
      // Where nothing is of the choice all would be dimmed, and it is said instead.
      const none = !found.some(({ own, has }) => own >= 0 && has);
      const left = found.map(({ own, has, other }) => none || (own >= 0 && !has && other));
      drawings.forEach(({ svg, parts, boxes }, at) => {
        const whole = !left[at] && found[at].own < 0, off = (place) => !left[at] && !whole && ways[place] < 0;
        svg.classList.toggle("dim", whole);
        for (const [part, place] of parts) part.classList.toggle("dim", off(place));
        svg.querySelector(":scope > .veils")?.remove();
        const hidden = boxes.filter((box) => off(box[4]));
        if (!hidden.length) return;
        const veils = draw("g", { class: "veils" });
        veils.append(...hidden.map(([x, y, width, height]) => draw("rect", { x: x / 10 - 2, y: y / 10 - 2, width: width / 10 + 4, height: height / 10 + 4 })));
        svg.append(veils);
      });
      const without = drawings.filter(({ heading }, at) => left[at] && heading).map(({ heading }) => `“${heading}”`);
      let note = "";
      if (choice && !found.some(({ has, other }) => has || other)) note = `Not told apart by ${choice[0].startsWith("=") ? factors.find(({ kind }) => kind === choice[0]).name : choice[0]}.`;
      else if (choice && none) note = `Nothing here is ${short(choice)}.`;
      else if (choice && without.length) note = `Nothing is ${short(choice)} in ${without.join(", ")}.`;
      let line = figure.querySelector(":scope > .unmarked");
      if (note && !line) figure.querySelector("figcaption")?.after((line = make("p", { class: "unmarked" })));
      if (line) [line.textContent, line.hidden] = [note, !note];
    }
    if (menu) {
      menu.value = choice ? choice.join("\n") : "";
      clear.hidden = !choice;
    }
    said.textContent = choice ? `Highlighted: ${say(choice)}. What belongs to others is dimmed in every figure.` : "Nothing is highlighted.";
  };
  const choose = (pair) => {
    choice = pair;
    apply();
  };
  let menu = null, clear = null;
  const nav = document.querySelector(".contents");
  const several = factors.filter(({ levels }) => levels.length > 1);
  // Cells stand under the first factor's levels and are named by the rest, so that short names can be told apart.
  const cellsOf = (kind, level) => [...byCell.keys()].filter((name) => !kind || byCell.get(name).levels.get(kind) === level);
  const nameOf = (name, kind) => {
    const rest = several.filter((factor) => factor.kind !== kind).map((factor) => phrases.get(factor.kind + "\n" + byCell.get(name).levels.get(factor.kind)));
    return rest.length ? `${name}: ${rest.join(", ")}` : `cell ${name}`;
  };
  const by = several.length > 1 ? several[0] : { kind: "", levels: [""], phrases: [""] };
  const groups = [
    ...several.map(({ kind, name, levels, phrases }) => [name, levels.map((level, at) => [[kind, level], phrases[at]])]),
    ["verdict", verdicts.map((name) => [["verdict", name], name])],
    ...by.levels.map((level, at) => [`cells ${by.kind ? `of ${by.phrases[at]}` : ""}`, cells.length > 1 ? cellsOf(by.kind, level).map((name) => [["cell", name], nameOf(name, by.kind)]) : []]),
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
      panels[number][1].forEach(([parts, dx, dy, owner, before, after, across, faint], group) => {
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
            faint,
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
  const BEHIND = 10; // CSS pixels by which a mean may be farther than a faint mark behind it
  const scaleOf = (svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const outside = (value, low, high) => Math.max(low - value, value - high, 0);
  const nearest = (svg, event) => {
    const box = svg.getBoundingClientRect(), scale = scaleOf(svg);
    const x = (event.clientX - box.left) / scale, y = (event.clientY - box.top) / scale;
    let best = null, least = Infinity;
    for (const mark of marksOf(svg)) {
      const away = Math.hypot(outside(x, mark.x + mark.left, mark.x + mark.right), outside(y, mark.y + mark.up, mark.y + mark.down));
      const counted = away + (mark.faint ? BEHIND / scale : 0);
      if (away < REACH / scale && counted < least) [best, least] = [mark, counted];
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
  // Where what is shown may begin: below the bar of contents on a narrow screen.
  const top = () => {
    const bar = large.open ? null : nav?.getBoundingClientRect();
    return bar && bar.width > innerWidth / 2 && bar.height < innerHeight / 3 ? Math.max(4, bar.bottom + 4) : 4;
  };
  const middleOf = (svg, mark) => {
    const at = svg.getBoundingClientRect(), scale = scaleOf(svg);
    return [at.left + mark.x * scale, at.top + mark.y * scale];
  };
  const AWAY = 14; // CSS pixels from the middle of a mark, so that it stays visible
  // Above the mark or below it, beside it where that would cover the panel's heading; what is too high scrolls.
  const place = (box, svg, mark) => {
    box.style.maxHeight = "";
    const at = svg.getBoundingClientRect(), size = box.getBoundingClientRect(), [x, y] = middleOf(svg, mark);
    const first = top(), last = innerHeight - 4, wide = document.documentElement.clientWidth - 4;
    const across = Math.max(4, Math.min(x - size.width / 2, wide - size.width)), down = Math.max(first, Math.min(y - size.height / 2, last - size.height));
    const spots = [[across, y - AWAY - size.height], [across, y + AWAY], [x + AWAY, down], [x - AWAY - size.width, down]];
    // Offers on a phone stand at the window's end that is farther from the mark, where they cover least of the figure.
    const ends = [[across, last - size.height], [across, first]].filter(([, high]) => high > y + AWAY || high + size.height < y - AWAY);
    if (box === panel && wide < 640) spots.unshift(...ends);
    const fits = ([left, high]) => left >= 4 && left + size.width <= wide && high >= first && high + size.height <= last;
    const strip = panels[svg.dataset.marks][0] ? at.top + 20 * scaleOf(svg) : -Infinity;
    const covers = ([left, high]) => high < strip && high + size.height > at.top && left < at.right && left + size.width > at.left;
    const [left, high] = spots.find((spot) => fits(spot) && !covers(spot)) ?? spots.find(fits) ?? [across, null];
    const above = y - AWAY - first, below = last - y - AWAY;
    if (high === null) box.style.maxHeight = `${Math.max(above, below)}px`;
    box.style.left = `${left}px`;
    box.style.top = `${high ?? (above > below ? first : y + AWAY)}px`;
  };
  const inView = (svg, mark) => {
    const [x, y] = middleOf(svg, mark), shown = (svg.closest(".inside") ?? svg.closest(".scroll"))?.getBoundingClientRect();
    const across = !shown || (x >= shown.left - 1 && x <= shown.right + 1), down = !shown || (y >= shown.top - 1 && y <= shown.bottom + 1);
    return across && down && y >= top() - 4 && y <= innerHeight;
  };
  let pinned = null; // the mark whose offers are open
  let read = null; // the mark that arrow keys have led to
  const hideMark = () => {
    read = null;
    ring.remove();
    if (tip.matches(":popover-open")) tip.hidePopover();
  };
  const encircle = (svg, mark) => {
    for (const [name, value] of Object.entries({ cx: mark.x, cy: mark.y, r: 7 / scaleOf(svg) })) ring.setAttribute(name, value);
    svg.append(ring);
  };
  const showMark = (svg, mark, hint = "") => {
    encircle(svg, mark);
    tip.replaceChildren(...titled(svg, mark), ...(hint ? [make("small", {}, hint)] : []));
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
    const offered = several.map(({ kind }) => kind);
    const others = named.flatMap((name) => [...byCell.get(name).levels]);
    const pairs = [...named.map((name) => ["cell", name]), ...found, ...others].filter(([kind]) => !kind.startsWith("=") || offered.includes(kind));
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
    if (menu && buttons.length) panel.append(make("div", { role: "group", "aria-labelledby": "mark-highlight" }, make("span", { class: "lead", id: "mark-highlight" }, "Highlight"), ...buttons));
    const shut = make("button", { type: "button", class: "shut" }, "Close");
    shut.addEventListener("click", close);
    panel.append(make("p", { class: "pages" }, ...links, shut));
    (large.open ? large : document.body).append(panel); // what lies outside an opened figure cannot be touched
    hideMark();
    panel.showPopover();
    pinned = [svg, mark];
    place(panel, svg, mark);
    panel.querySelector("button,a").focus({ preventScroll: true });
    encircle(svg, mark);
  };
  panel.addEventListener("toggle", (event) => {
    if (event.newState === "open") return;
    pinned = null;
    ring.remove();
  });

  // Every figure: hover, tap, arrow keys, and a button that opens it large.
  const explored = [...document.querySelectorAll("figure")].filter((figure) => figure.querySelector("svg[data-marks]"));
  const large = make("dialog", { class: "large", "aria-labelledby": "large-title" });
  const title = make("h2", { id: "large-title" }), shut = make("button", { type: "button" }, "Close"), inside = make("div", { class: "inside" });
  const placeholder = make("div");
  let opened = null;
  const under = make("p", { class: "caption" });
  large.append(make("div", { class: "bar" }, title, shut), inside);
  document.body.append(large);
  const LARGER = 1.5; // times as large as on the page; where that fits no window whole, it fills the width and scrolls
  const fit = () => {
    const svgs = [...inside.querySelectorAll("svg[data-marks]")];
    const wide = Math.max(...svgs.map((svg) => svg.viewBox.baseVal.width)), high = Math.max(...svgs.map((svg) => svg.viewBox.baseVal.height));
    const gap = 24, across = (columns) => (inside.clientWidth - 1 - gap * (columns - 1)) / (columns * wide);
    const size = (scale) => svgs.forEach((svg) => (svg.style.width = `${Math.max(Math.min(scale, 4), opened.scale) * svg.viewBox.baseVal.width}px`));
    inside.style.overflow = "hidden";
    let scale = 0;
    for (let columns = 1; columns <= svgs.length; columns += 1) {
      const rows = Math.ceil(svgs.length / columns), room = inside.clientHeight - under.offsetHeight - 12;
      scale = Math.max(scale, Math.min(across(columns), (room - gap * (rows - 1)) / (rows * high)));
    }
    const least = LARGER * opened.scale;
    if (scale >= least) return size(scale);
    inside.style.overflow = "auto";
    inside.style.overflowY = "scroll";
    let columns = svgs.length;
    while (columns > 1 && across(columns) < least) columns -= 1;
    size(Math.max(scale, Math.min(across(columns), 2 * opened.scale)));
    inside.style.overflowY = "auto";
  };
  let silent = false; // an opened figure has the focus at once, and shows a value from the first arrow key on
  const quietly = (act) => {
    silent = true;
    act();
    silent = false;
  };
  const enlarge = (figure) => {
    if (opened) return;
    const box = figure.querySelector(".panels,.scroll");
    hideMark();
    const caption = figure.querySelector(".caption")?.cloneNode(true);
    caption?.querySelector(".links")?.remove();
    under.textContent = caption?.textContent.trim() ?? "";
    opened = { box, back: document.activeElement, scale: Math.max(...[...box.querySelectorAll("svg[data-marks]")].map(scaleOf)) };
    placeholder.style.height = `${box.offsetHeight}px`;
    box.replaceWith(placeholder);
    inside.append(box, under);
    title.textContent = headingOf(figure);
    large.showModal();
    fit();
    inside.scrollTo(0, 0);
    quietly(() => box.querySelector(".reader")?.focus({ preventScroll: true }));
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
  // What is shown goes with its mark, and away with it; the focus that comes back then scrolls nothing.
  const follow = (event) => {
    if (event.target === panel) return;
    if (pinned && inView(...pinned)) place(panel, ...pinned);
    else if (pinned) quietly(() => panel.hidePopover());
    else if (read && inView(...read)) place(tip, ...read);
    else hideMark();
  };
  addEventListener("scroll", follow, { passive: true, capture: true });
  const HINT = "← → next value · ↑ ↓ next line or row · page keys next panel or box · Enter more";
  let isHinted = false; // told once
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
      const tell = (shows, hint = "") => {
        const { svg, mark } = all()[at];
        reader.setAttribute("aria-valuenow", at + 1);
        reader.setAttribute("aria-valuetext", titled(svg, mark).map((part) => part.textContent ?? part).join(": "));
        if (!shows) return;
        const near = { block: "nearest", inline: "nearest", behavior: "instant" };
        svg.scrollIntoView(near);
        showMark(svg, mark, hint);
        read = [svg, mark];
        if (inView(svg, mark)) return;
        ring.scrollIntoView({ ...near, block: "center" }); // of a figure that is larger than the window
        place(tip, svg, mark);
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
      // The first mark of the next panel, or of the next box of a grid.
      let boxed = null;
      const pages = (step) => {
        boxed ??= all().map(({ svg, mark }) => {
          const box = panels[svg.dataset.marks][2].findIndex(([x, y, width, height]) => mark.x * 10 >= x && mark.x * 10 <= x + width && mark.y * 10 >= y && mark.y * 10 <= y + height);
          return svgs.indexOf(svg) * 1e4 + box + 1;
        });
        const order = [...new Set(boxed)].sort((a, b) => a - b), goal = order[order.indexOf(boxed[at]) + step];
        return goal === undefined ? at : boxed.indexOf(goal);
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
        requestAnimationFrame(() => {
          if (document.activeElement !== reader) return;
          const isShown = shows && reader.matches(":focus-visible");
          tell(isShown, isHinted ? "" : HINT);
          isHinted ||= isShown;
        });
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
