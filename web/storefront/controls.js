// The masthead's buttons and the panel's opening and closing.

const THEME = "storefront.theme";
const $ = (id) => document.getElementById(id);

/** Bind the buttons; `newVisitor` is called when the visitor asks to be another. */
export function bindControls({ attune, newVisitor }) {
  $("new-visitor").addEventListener("click", newVisitor);
  $("theme").addEventListener("click", () => switchTheme(attune));
  $("panel-toggle").addEventListener("click", togglePanel);
  $("peek").addEventListener("click", () => raise(!isRaised()));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && isRaised() && raise(false));
  // With consent withdrawn, not even the choice of colours stays on the device.
  attune.addEventListener("consent", () => attune.consent === "none" && keep(null));
  if (attune.consent === "none") keep(null);
}

function switchTheme(attune) {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  if (attune.consent !== "none") keep(root.dataset.theme);
}

function keep(theme) {
  try {
    if (theme) localStorage.setItem(THEME, theme);
    else localStorage.removeItem(THEME);
  } catch {
    // A browser that blocks storage forgets the choice; nothing else depends on it.
  }
}

function togglePanel() {
  const closed = $("panel").classList.toggle("is-closed");
  document.querySelector(".page").classList.toggle("is-wide", closed);
  $("panel-toggle").setAttribute("aria-expanded", String(!closed));
}

function isRaised() {
  return $("panel").classList.contains("is-raised");
}

function raise(up) {
  $("panel").classList.toggle("is-raised", up);
  $("peek").setAttribute("aria-expanded", String(up));
  if (up) $("panel-body").scrollTop = 0;
  else if (!$("peek").contains(document.activeElement)) $("peek").focus();
}
