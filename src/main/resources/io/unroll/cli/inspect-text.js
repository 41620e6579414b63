// The text in blocks of whole lines. Only blocks near the window have an element for each character,
// so that long texts stay quick; the others are plain text of the same shape.

const BLOCK = 1200;
const LONGEST_BLOCK = 6000;

class TextPane {
  constructor(pane, choose, point) {
    this.pane = pane;
    this.blocks = [];
    this.near = new Set();
    this.unit = 0;
    this.at = 0;
    this.guesses = false;
    for (let from = 0; from < T;) {
      let to = Math.min(T, from + BLOCK);
      while (to < T && to < from + LONGEST_BLOCK && characters[to - 1] !== "\n") to++;
      const node = element("div", { class: "block" });
      node.textContent = characters.slice(from, to).join("");
      this.blocks.push({ from, to, node, spans: [] });
      from = to;
    }
    this.observer = new IntersectionObserver((entries) => this.moved(entries),
      { root: pane, rootMargin: "400px" });
    for (const block of this.blocks) {
      block.node.block = block;
      pane.append(block.node);
      this.observer.observe(block.node);
    }
    pane.addEventListener("click", (event) => this.under(event, choose));
    pane.addEventListener("mouseover", (event) => this.under(event, point));
    pane.addEventListener("mouseleave", () => point(-1));
  }

  under(event, tell) {
    const span = event.target.closest(".block > span");
    if (!span) return;
    const { block } = span.parentNode;
    tell(block.from + block.spans.indexOf(span));
  }

  moved(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        this.near.add(target.block);
        this.paint(target.block);
      } else {
        this.near.delete(target.block);
        if (!this.guesses) this.unpaint(target.block);
      }
    }
  }

  className(t) {
    const ends = characters[t] === "\n" ? " n" : "";
    return "q" + (level(this.unit, t) + LEVELS) + ends + (t === this.at ? " at" : "");
  }

  unpaint(block) {
    block.spans = [];
    block.node.textContent = characters.slice(block.from, block.to).join("");
  }

  paint(block) {
    block.spans = [];
    block.node.classList.toggle("guessed", this.guesses);
    const all = document.createDocumentFragment();
    for (let t = block.from; t < block.to; t++) {
      const span = document.createElement("span");
      span.className = this.className(t);
      block.spans.push(span);
      all.append(span);
      if (!this.guesses) {
        span.textContent = characters[t];
        continue;
      }
      this.stack(span, t);
      if (characters[t] === "\n") all.append(document.createElement("br"));
    }
    block.node.replaceChildren(all);
  }

  // The character above the guesses that were made for it, the likeliest first.
  stack(span, t) {
    const shown = { "\n": "↵", " ": "\u00a0" }[characters[t]] ?? characters[t];
    span.append(element("b", {}, shown));
    for (let rank = 0; rank < facts.guesses; rank++) {
      const { character, chance } = t > 0 ? guess(t - 1, rank) : { chance: 0 };
      const shows = chance >= 0.02;
      const hit = shows && character === characters[t];
      const row = element("em", { style: "--p:" + Math.round(100 * chance) },
        shows ? visible(character) : "\u00a0");
      if (hit) row.className = "hit";
      span.append(row);
    }
  }

  recolour(block) {
    block.spans.forEach((span, i) => {
      const name = this.className(block.from + i);
      if (span.className !== name) span.className = name;
    });
  }

  show(unit, at, guesses) {
    const restack = guesses !== this.guesses;
    Object.assign(this, { unit, at, guesses });
    for (const block of this.blocks) {
      if (!restack) this.recolour(block);
      else if (this.near.has(block)) this.paint(block);
      else this.unpaint(block);
    }
  }

  scrollTo(at) {
    const block = this.blocks.find(({ to }) => at < to);
    this.near.add(block); // and the observer takes it out when it is far again
    if (!block.spans.length) this.paint(block);
    const box = block.spans[at - block.from].getBoundingClientRect();
    const pane = this.pane.getBoundingClientRect();
    if (box.top < pane.top + 8 || box.bottom > pane.bottom - 8) {
      this.pane.scrollTop += (box.top + box.bottom - pane.top - pane.bottom) / 2;
    }
  }
}
