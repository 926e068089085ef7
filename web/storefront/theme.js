// Light or dark: the system's choice until the visitor makes one. Runs before the first paint.
(() => {
  const root = document.documentElement;
  const kept = () => {
    try {
      return localStorage.getItem("storefront.theme");
    } catch {
      return null;
    }
  };
  const theme = kept();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
