// Light or dark, as the notebook around the view is.

export function followTheme(root: HTMLElement): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const choose = () => {
    root.dataset.theme = isDark(media.matches) ? "dark" : "light";
  };
  const watcher = new MutationObserver(choose);
  watcher.observe(document.body, {
    attributes: true,
    attributeFilter: ["class", "data-jp-theme-light", "data-vscode-theme-kind"],
  });
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "theme", "data-theme"] });
  media.addEventListener("change", choose);
  choose();
  return () => {
    watcher.disconnect();
    media.removeEventListener("change", choose);
  };
}

function isDark(preferred: boolean): boolean {
  const { body, documentElement: page } = document;
  const lab = body.dataset.jpThemeLight; // JupyterLab and Notebook
  if (lab) return lab === "false";
  const code = body.dataset.vscodeThemeKind; // VS Code
  if (code) return !code.includes("light");
  const colab = page.getAttribute("theme") ?? page.dataset.theme; // Colab, and sites that say so
  if (colab) return colab === "dark";
  return preferred;
}
