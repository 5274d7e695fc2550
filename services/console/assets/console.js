// Fetches the page's live part every two seconds and replaces only what
// changed, so that nothing flickers and nobody's place is lost. It says how
// old the numbers are, and never calls old ones live.
(function () {
  "use strict";
  const every = 2000, giveUp = 15000, staleAfter = 90000;
  const fresh = document.getElementById("fresh");
  const words = document.getElementById("fresh-words");
  const announce = document.getElementById("announce");
  let received = performance.now(); // when the part on screen came
  let failing = 0; // since when the console does not answer, 0 = it does
  let running = false;
  const shown = new Map(); // id -> markup as it was sent

  const live = () => document.getElementById("live");
  const sections = (root) => Array.from(root.children).flatMap((e) => (e.id === "cards" ? [e, ...e.children] : [e])).filter((e) => e.id);
  const shape = (root) => sections(root).map((e) => e.id).join(" ");
  sections(live()).forEach((e) => shown.set(e.id, e.outerHTML));

  function selecting(e) {
    const s = document.getSelection();
    return s && !s.isCollapsed && e.contains(s.anchorNode);
  }

  // What the person did to a section lives on in the new one.
  function keep(old, next) {
    old.querySelectorAll("details[open][id]").forEach((d) => {
      const n = next.querySelector("#" + CSS.escape(d.id));
      if (n) n.open = true;
    });
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolls = Array.from(old.querySelectorAll(".scroll"), (s) => [s.scrollLeft, s.scrollTop]);
    old.replaceWith(next);
    next.querySelectorAll(".scroll").forEach((s, i) => {
      if (scrolls[i]) [s.scrollLeft, s.scrollTop] = scrolls[i];
    });
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  }

  function apply(html) {
    const root = live();
    const next = new DOMParser().parseFromString(html, "text/html").getElementById("live");
    if (!next) throw new Error("unexpected answer");
    const sent = new Map(sections(next).map((e) => [e.id, e.outerHTML]));
    let late = false; // something waits for the person to finish selecting
    if (shape(root) !== shape(next)) {
      if (selecting(root)) late = true;
      else keep(root, document.adoptNode(next));
    } else {
      sections(next).forEach((e) => {
        const old = document.getElementById(e.id);
        if (e.id === "cards" || shown.get(e.id) === sent.get(e.id)) return;
        if (selecting(old)) { sent.set(e.id, shown.get(e.id)); late = true; return; }
        keep(old, document.adoptNode(e));
      });
      for (const a of ["age", "read", "trouble", "title"]) root.dataset[a] = next.dataset[a];
    }
    if (late && shape(root) !== shape(next)) return;
    shown.clear();
    sent.forEach((v, k) => shown.set(k, v));
    if (live().dataset.title) document.title = live().dataset.title;
    received = performance.now();
  }

  function span(ms) {
    const s = Math.max(0, Math.round(ms / 1000));
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + " min";
    return Math.floor(s / 3600) + " h";
  }

  function say() {
    const now = performance.now();
    const d = live().dataset;
    const age = Number(d.age) + now - received;
    let state = "live", text = "Live · updated " + span(age) + " ago";
    if (failing && now - failing > 3 * every) [state, text] = ["stale", "Stale · this console does not answer" + (d.read === "true" ? ", numbers are " + span(age) + " old" : "")];
    else if (d.read !== "true") [state, text] = d.trouble ? ["stale", "No data"] : ["static", "Reading"];
    else if (d.trouble || age > staleAfter) [state, text] = ["stale", "Stale · numbers are " + span(age) + " old"];
    if (fresh.dataset.state !== state) {
      // Said aloud once a change, not every second.
      if (fresh.dataset.state !== "static" || state === "stale") announce.textContent = text;
      fresh.dataset.state = state;
    }
    if (words.textContent !== text) words.textContent = text;
  }

  async function tick() {
    if (running || document.hidden) return;
    running = true;
    try {
      const r = await fetch(live().dataset.fetch, { cache: "no-store", signal: AbortSignal.timeout(giveUp) });
      if (!r.ok) throw new Error(String(r.status));
      apply(await r.text());
      failing = 0;
    } catch {
      failing = failing || performance.now();
    } finally {
      running = false;
    }
    say();
  }

  setInterval(tick, every);
  setInterval(say, 1000);
  document.addEventListener("visibilitychange", tick);
  say();
})();
