// Listens to the page's stream and replaces only what changed, so that nothing
// flickers and nobody's place is lost. Without a stream it asks every few
// seconds. It says how old the numbers are, and never calls old ones live.
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

  // Times are sent in UTC and read in the viewer's zone.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const dated = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const old = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  function local(root) {
    const now = new Date();
    root.querySelectorAll("time[datetime]").forEach((e) => {
      const t = new Date(e.dateTime);
      if (isNaN(t)) return;
      const form = t.toDateString() === now.toDateString() ? clock : t.getFullYear() === now.getFullYear() ? dated : old;
      e.textContent = form.format(t).replace(",", "");
    });
  }
  const said = document.getElementById("zone");
  if (said && zone !== "UTC") said.textContent = "Times in " + zone + ", UTC on hover.";
  local(document);

  // Whoever selects or writes is not disturbed.
  function selecting(e) {
    const s = document.getSelection();
    const a = document.activeElement;
    return (s && !s.isCollapsed && e.contains(s.anchorNode)) || (a && /^(INPUT|TEXTAREA|SELECT)$/.test(a.tagName) && e.contains(a));
  }

  // The name that clicks are kept under is asked for once.
  function names(root) {
    root.querySelectorAll("[data-keep]").forEach((i) => {
      const kept = localStorage.getItem(i.dataset.keep);
      if (kept && !i.value) i.value = kept;
    });
  }
  names(document);
  document.addEventListener("change", (e) => {
    if (e.target.dataset && e.target.dataset.keep) localStorage.setItem(e.target.dataset.keep, e.target.value);
  });
  document.addEventListener("click", async (e) => {
    const b = e.target.closest ? e.target.closest("[data-copy]") : null;
    const from = b && document.getElementById(b.dataset.copy);
    if (!from) return;
    try {
      await navigator.clipboard.writeText(from.textContent);
      b.textContent = "Copied";
    } catch {
      document.getSelection().selectAllChildren(from);
      b.textContent = "Selected";
    }
    setTimeout(() => { b.textContent = "Copy"; }, 2000);
  });

  // What the person did to a section lives on in the new one.
  function keep(old, next) {
    old.querySelectorAll("details[open][id]").forEach((d) => {
      const n = next.querySelector("#" + CSS.escape(d.id));
      if (n) n.open = true;
    });
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolls = Array.from(old.querySelectorAll(".scroll"), (s) => [s.scrollLeft, s.scrollTop]);
    old.querySelectorAll("input[name]:not([type=hidden]), textarea").forEach((i) => {
      const n = i.value && next.querySelector(i.tagName + '[name="' + CSS.escape(i.name) + '"]');
      if (n && !n.value) n.value = i.value;
    });
    old.replaceWith(next);
    local(next);
    names(next);
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
    let state = "live", text = "Live · data as of " + span(age) + " ago";
    if (failing && now - failing > 3 * every) [state, text] = ["stale", "Stale · this console does not answer" + (d.read === "true" ? ", numbers are " + span(age) + " old" : "")];
    else if (!d.events) [state, text] = ["static", words.textContent];
    else if (d.read !== "true") [state, text] = d.trouble ? ["stale", "No data"] : ["static", "Reading"];
    else if (d.trouble || age > staleAfter) [state, text] = ["stale", "Stale · numbers are " + span(age) + " old"];
    if (fresh.dataset.state !== state) {
      // Said aloud once a change, not every second.
      if (fresh.dataset.state !== "static" || state === "stale") announce.textContent = text;
      fresh.dataset.state = state;
    }
    if (words.textContent !== text) words.textContent = text;
  }

  // The stream is open only while somebody looks.
  let stream = null, heard = 0;
  function listen() {
    const from = live().dataset.events;
    if (!from || document.hidden || !window.EventSource) {
      if (stream) stream.close();
      stream = null;
      return;
    }
    if (stream && stream.readyState !== EventSource.CLOSED) return;
    stream = new EventSource(from);
    stream.addEventListener("page", (e) => {
      try { apply(e.data); } catch { return; }
      heard = received;
      failing = 0;
      say();
    });
    stream.addEventListener("beat", (e) => {
      live().dataset.age = e.data;
      heard = received = performance.now();
      failing = 0;
      say();
    });
  }

  async function tick() {
    listen();
    // A stream that spoke of late is enough; one that fell silent is not believed.
    if (!live().dataset.events || (heard && performance.now() - heard < 3 * every)) return say();
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
