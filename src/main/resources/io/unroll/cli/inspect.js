// What is chosen, by mouse, by keys, and in the address, which keeps it.

const chosen = { unit: ORDER[0], at: 0, guesses: false, theme: null, property: -1 };
const byId = (id) => document.getElementById(id);
const ENOUGH = 0.2;
let pane;
let markGates;
let colours;

function theme() {
  return chosen.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const [layer, state, number] = (given.get("unit") ?? "").split(".");
  const unit = UNITS.get(key(facts.states.indexOf(state), layer - 1, number));
  if (unit !== undefined && facts.units[unit].row >= 0) chosen.unit = unit;
  const at = Number(given.get("at") ?? NaN);
  if (at >= 0 && at < T) chosen.at = Math.floor(at);
  chosen.guesses = given.get("guesses") === "1";
  chosen.theme = ["light", "dark"].includes(given.get("theme")) ? given.get("theme") : null;
  const property = facts.properties.findIndex(({ name }) => name === given.get("property"));
  chosen.property = property;
}

function writeAddress() {
  const { state, layer, unit } = facts.units[chosen.unit];
  const kept = new URLSearchParams();
  kept.set("unit", `${layer + 1}.${facts.states[state]}.${unit}`);
  kept.set("at", chosen.at);
  if (chosen.guesses) kept.set("guesses", 1);
  if (chosen.theme) kept.set("theme", chosen.theme);
  if (chosen.property >= 0) kept.set("property", facts.properties[chosen.property].name);
  history.replaceState(null, "", "#" + kept);
}

function best(property) {
  return facts.units.map((unit, i) => i)
    .filter((i) => facts.units[i].row >= 0 && Math.abs(facts.units[i].held[property]) >= 100 * ENOUGH)
    .sort((a, b) => Math.abs(facts.units[b].held[property]) - Math.abs(facts.units[a].held[property]))
    .slice(0, 3);
}

function buildProperties() {
  facts.properties.forEach((property, p) => {
    const head = element("button", { type: "button", title: property.meaning },
      property.name, element("span", { class: "meter" }, element("i", {})), element("span", { class: "number" }));
    head.addEventListener("click", () => choose({ property: chosen.property === p ? -1 : p }));
    const chips = element("div", { class: "chips" });
    for (const unit of best(p)) {
      const chip = element("button", { type: "button", "data-unit": unit },
        unitName(unit) + " ", element("small", {}, signed(facts.units[unit].held[p] / 100, 2)));
      chip.addEventListener("click", () => choose({ unit }));
      chips.append(chip);
    }
    if (!chips.childNodes.length) chips.append(element("span", { class: "none" }, "no unit"));
    byId("properties").append(element("div", { class: "property" }, head, chips));
  });
}

function buildMaps() {
  for (let layer = 0; layer < facts.layers; layer++) {
    facts.states.forEach((state, s) => {
      const map = element("div", { class: "map", style: `grid-template-columns: repeat(${GRID}, 1fr)` });
      for (let j = 0; j < facts.hidden; j++) {
        const unit = UNITS.get(key(s, layer, j));
        const cell = element("button", { type: "button", tabindex: -1, "data-unit": unit, title: unitName(unit) });
        cell.disabled = facts.units[unit].row < 0;
        map.append(cell);
      }
      map.addEventListener("click", (event) => {
        const cell = event.target.closest("button");
        if (cell) choose({ unit: Number(cell.dataset.unit) });
      });
      byId("maps").append(element("p", { class: "maps-title" }, `layer ${layer + 1}, ${state}`), map);
    });
  }
  byId("shown").textContent = ORDER.length === facts.units.length
    ? "" : `${ORDER.length} of ${facts.units.length} are on this page`;
}

function buildChooser() {
  for (let layer = 0; layer < facts.layers; layer++) {
    byId("layer").append(element("option", { value: layer }, String(layer + 1)));
  }
  facts.states.forEach((state, s) => byId("state").append(element("option", { value: s }, state)));
  byId("unit").max = facts.hidden - 1;
  const read = () => {
    const unit = UNITS.get(key(byId("state").value, byId("layer").value, Number(byId("unit").value)));
    if (unit !== undefined) choose({ unit: nearest(unit, 1) });
  };
  for (const id of ["layer", "state", "unit"]) byId(id).addEventListener("change", read);
  byId("previous").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  byId("guesses-on").addEventListener("change", (event) => choose({ guesses: event.target.checked }));
  byId("theme").addEventListener("click", switchTheme);
}

// The unit itself, or the next one that is on this page.
function nearest(unit, step) {
  const count = facts.units.length;
  let found = unit;
  while (facts.units[found].row < 0) found = (found + step + count) % count;
  return found;
}

function move(step) {
  const count = facts.units.length;
  choose({ unit: nearest((chosen.unit + step + count) % count, step) });
}

function moveInOrder(step) {
  const place = ORDER.indexOf(chosen.unit) + step;
  choose({ unit: ORDER[(place + ORDER.length) % ORDER.length] });
}

// The same unit of the next layer or state.
function moveAcross(what, count) {
  const unit = { ...facts.units[chosen.unit] };
  unit[what] = (unit[what] + 1) % count;
  choose({ unit: nearest(UNITS.get(key(unit.state, unit.layer, unit.unit)), 1) });
}

function moveAt(step) {
  choose({ at: Math.max(0, Math.min(T - 1, chosen.at + step)) });
  pane.scrollTo(chosen.at);
}

function switchTheme() {
  choose({ theme: theme() === "dark" ? "light" : "dark" });
}

const KEYS = {
  ArrowLeft: () => move(-1),
  ArrowRight: () => move(1),
  j: () => moveInOrder(1),
  k: () => moveInOrder(-1),
  l: () => moveAcross("layer", facts.layers),
  s: () => moveAcross("state", facts.states.length),
  ",": () => moveAt(-1),
  ".": () => moveAt(1),
  g: () => choose({ guesses: !chosen.guesses }),
  t: switchTheme,
};

function choose(changes) {
  const themeBefore = theme();
  Object.assign(chosen, changes);
  if (theme() !== themeBefore) paintTheme();
  show();
  writeAddress();
}

function paintTheme() {
  document.documentElement.dataset.theme = theme();
  colours = palette(theme());
  byId("palette").textContent = colours.map((c, i) => `.q${i}{background:${c}}`).join("\n");
  byId("theme").textContent = theme() === "dark" ? "Light" : "Dark";
  byId("ramp").replaceChildren(...colours.map((c) => element("i", { style: "background:" + c })));
}

function show() {
  const { state, layer, unit, scale } = facts.units[chosen.unit];
  byId("layer").value = layer;
  byId("state").value = state;
  byId("unit").value = unit;
  byId("guesses-on").checked = chosen.guesses;
  const digits = scale < 10 ? 2 : 1;
  const ends = [-scale, 0, scale].map((end) => signed(end, digits));
  byId("legend").querySelectorAll("span").forEach((span, i) => { span.textContent = ends[i]; });
  byId("legend").setAttribute("aria-label", `Colours from ${ends[0]}, blue, to ${ends[2]}, orange`);
  pane.show(chosen.unit, chosen.at, chosen.guesses);
  showProperties();
  showMaps();
  showStatus(chosen.at);
  drawUnrolled(byId("diagram"), chosen.unit, chosen.at, colours,
    (clicked, at) => choose(clicked === undefined ? { at } : { unit: nearest(clicked, 1), at }));
  markGates(chosen.unit);
  document.querySelectorAll("[data-unit]").forEach((button) => {
    button.setAttribute("aria-pressed", Number(button.dataset.unit) === chosen.unit);
  });
}

function showProperties() {
  document.querySelectorAll(".property").forEach((row, p) => {
    const r = facts.units[chosen.unit].r[p] / 100;
    const bar = row.querySelector("i");
    bar.style.cssText = `left:${r < 0 ? 50 + 50 * r : 50}%;width:${50 * Math.abs(r)}%;`
      + `background:${colour(r < 0 ? -1 : 1, theme())}`;
    row.querySelector(".number").textContent = signed(r, 2);
    row.querySelector(".number").title =
      `${signed(facts.units[chosen.unit].held[p] / 100, 2)} in both halves of the text; `
      + `${(facts.units[chosen.unit].bits[p] / 100).toFixed(2)} bits of mutual information`;
    row.classList.toggle("chosen", p === chosen.property);
  });
}

function showMaps() {
  const p = chosen.property;
  const share = ({ held }) => p >= 0 ? held[p] / 100
    : held.reduce((most, h) => Math.abs(h) > Math.abs(most) ? h : most, 0) / 100;
  document.querySelectorAll(".map button").forEach((cell) => {
    cell.style.background = colour(share(facts.units[cell.dataset.unit]), theme());
  });
  byId("maps-hint").textContent = p >= 0
    ? `How closely each follows: ${facts.properties[p].name}.`
    : "How closely each follows what it follows most. Choose a property above to see that one.";
}

function showStatus(t) {
  const before = characters.slice(0, t);
  const line = before.filter((c) => c === "\n").length + 1;
  const column = t - before.lastIndexOf("\n");
  const bits = surprise(t);
  const expected = t === 0 ? "the first character"
    : `expected with ${percent(2 ** -bits)}, ${bits.toFixed(1)} bits`;
  byId("status").replaceChildren(
    element("code", {}, visible(characters[t])), ` at ${t.toLocaleString("en")}`,
    ` (line ${line}, column ${column}) · unit ${unitName(chosen.unit)} is `,
    element("b", {}, signed(value(chosen.unit, t), 2)), " after it · " + expected);
}

function describe() {
  const kind = facts.cell.replace("_", " with ");
  byId("about").textContent = `${kind}, ${facts.layers} ${facts.layers === 1 ? "layer" : "layers"} of `
    + `${facts.hidden} · ${T.toLocaleString("en")} characters of ${facts.name} · `
    + `${facts.bits.toFixed(2)} bits a character`;
  document.title = `unroll inspect: ${facts.name}`;
  byId("legend").append(element("div", { id: "ramp" }), element("span", {}), element("span", {}), element("span", {}));
  const notes = [
    "A character has the colour of the unit's state after the network has read it. Colours have "
      + `${2 * LEVELS + 1} steps; the full ones stand for the 99th percentile of the unit's absolute values, `
      + "which the legend tells.",
    "The guesses under a character are those that the network made for it before it read it, the likeliest "
      + "first, darker the likelier; a guess that was right is underlined. In the drawing they stand above the "
      + "character that they follow.",
    "The correlation is Pearson's. Units are ranked by what both halves of the text agree on: the smaller of the "
      + "two coefficients, 0 if they differ in sign, so that a slow unit does not rank high by chance. Numbers "
      + "beside units are that one. The mutual information is that of eight classes each.",
    "Shares of saturation after Karpathy, Johnson and Fei-Fei, “Visualizing and understanding recurrent "
      + "networks”, 2015: below 0.1 and above 0.9, or below −0.8 and above 0.8 where the range begins at −1.",
  ];
  byId("definitions").append(...notes.map((note) => element("p", {}, note)),
    element("dl", {}, ...facts.properties.flatMap(({ name, meaning }) =>
      [element("dt", {}, name), element("dd", {}, meaning)])));
}

async function start() {
  [unitRows, guessRows] = await Promise.all([unpack("packed-units"), unpack("packed-guesses")]);
  document.head.append(element("style", { id: "palette" }));
  describe();
  buildProperties();
  buildMaps();
  buildChooser();
  readAddress();
  paintTheme();
  pane = new TextPane(byId("text"), (at) => choose({ at }), (t) => showStatus(t < 0 ? chosen.at : t));
  markGates = drawGates(byId("gate-cards"),
    (layer, number) => choose({ unit: nearest(UNITS.get(key(facts.units[chosen.unit].state, layer, number)), 1) }));
  show();
  if (chosen.at > 0) pane.scrollTo(chosen.at);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
    if (KEYS[event.key]) {
      KEYS[event.key]();
      event.preventDefault();
    }
  });
  addEventListener("hashchange", () => { readAddress(); paintTheme(); show(); });
  addEventListener("resize", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { paintTheme(); show(); });
  document.documentElement.dataset.ready = "yes";
}

start().catch((failure) => {
  byId("about").textContent = "This browser cannot show the page: " + failure
    + ". It needs one of 2023 or newer.";
});
