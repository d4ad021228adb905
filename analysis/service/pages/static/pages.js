"use strict";
// Pages work without this: it shows progress without a reload, and lets a keyboard go faster.
(() => {
  const EVERY_MS = 3000;
  const ITEMS = "[data-item], .metric > summary";

  // ---- progress of a running analysis

  // What was opened or focused is found again in the new markup by what it is called.
  const called = (element) => {
    const metric = element.closest(".metric");
    const name = metric ? metric.querySelector("h3").textContent : "";
    return element.id || `${name} / ${element.textContent}`.slice(0, 300);
  };
  const kept = (summary) => {
    const metric = summary.closest(".metric");
    return summary.parentElement === metric
      ? metric.querySelector("h3").textContent
      : called(summary);
  };

  function replace(live, fresh) {
    const open = new Map();
    for (const one of live.querySelectorAll("summary")) open.set(kept(one), one.parentElement.open);
    const focused = document.activeElement;
    const focus = live.contains(focused)
      ? focused.matches("summary") ? kept(focused) : called(focused)
      : null;
    live.replaceWith(fresh);
    for (const one of fresh.querySelectorAll("summary")) {
      const name = kept(one);
      if (open.has(name)) one.parentElement.open = open.get(name);
      if (name === focus) one.focus();
    }
    if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
    document.getElementById("told").textContent = fresh.dataset.told;
    document.title = document.title.replace(/^\S+:/, `${fresh.dataset.stamp.split(" ")[1]}:`);
  }

  async function refresh() {
    const live = document.getElementById("live");
    try {
      const answer = await fetch(live.dataset.from, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (fresh.dataset.stamp !== live.dataset.stamp) replace(live, fresh);
    } catch {
      document.getElementById("told").textContent = "The service does not answer; trying again.";
    }
    watch();
  }

  function watch() {
    const live = document.getElementById("live");
    if (live && live.dataset.from) setTimeout(refresh, EVERY_MS);
  }

  // ---- keys

  function step(by) {
    const items = [...document.querySelectorAll(ITEMS)];
    const at = items.indexOf(document.activeElement);
    const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : at + by];
    if (next) next.focus();
  }

  const help = () => document.getElementById("help");
  const search = () => {
    const field = document.getElementById("search");
    if (field) field.focus(); else location.assign("/");
  };
  const KEYS = { j: () => step(1), k: () => step(-1), "/": search, "?": () => help().showModal() };

  document.addEventListener("keydown", (event) => {
    const is_typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (is_typing || event.ctrlKey || event.metaKey || event.altKey || help().open) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  watch();
})();
