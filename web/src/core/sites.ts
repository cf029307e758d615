// The switch between the sites of a trace, and between the directions of a site; hidden where there is one.

import { h } from "./dom";
import type { Site } from "./scene";
import type { Session } from "./session";

export class SiteSwitch {
  readonly el = h("span", { class: "kt-sites", role: "group", "aria-label": "Site" });

  constructor(private readonly session: Session) {
    const { sites, site } = session.before.about;
    this.el.hidden = sites.length < 2;
    if (this.el.hidden) return;
    const choice = this.select("Site", groups(sites), site, (name) => name);
    const directions = unique(sites.map((one) => one.direction));
    const direction = sites.find((one) => one.name === site)?.direction;
    const turned = (to: string) => counterpart(sites, site, to);
    const turn =
      direction && directions.length > 1
        ? this.select("Direction", [["", directions.map((name) => [name, turned(name)])]], direction, turned)
        : null;
    this.el.append(choice, ...(turn ? [turn] : []));
    const missing = this.missing(sites);
    if (missing) this.el.append(h("span", { class: "kt-faint" }, missing));
  }

  /** Where the keyboard was before another site came, it is again. */
  focus(label: string): void {
    this.el.querySelector<HTMLSelectElement>(`select[name="${label}"]`)?.focus();
  }

  /** The name of the switch that has the focus, if one has. */
  focused(): string {
    const root = this.el.getRootNode() as Document | ShadowRoot;
    return root.activeElement instanceof HTMLSelectElement && this.el.contains(root.activeElement)
      ? root.activeElement.name
      : "";
  }

  private select(label: string, options: Group[], chosen: string, siteOf: (value: string) => string): HTMLElement {
    const { session } = this;
    const drawn = options.map(([group, names]) => {
      const items = names.map(([name, site]) =>
        h("option", { value: name, selected: name === chosen, disabled: !this.canShow(site) }, name),
      );
      return group ? [h("optgroup", { label: group }, ...items)] : items;
    });
    const select = h("select", { name: label }, ...drawn.flat());
    select.addEventListener("change", () => {
      if (!session.showSite(siteOf(select.value))) select.value = chosen;
    });
    session.store.listen((changed) => {
      if (changed.has("making") && !session.state.making) select.value = chosen; // it did not come
    });
    return h("label", {}, `${label} `, select);
  }

  private canShow(site: string): boolean {
    const { sites } = this.session.before.about;
    return sites.some((one) => one.name === site && one.retrievals > 0) && this.session.host.hasSite(site);
  }

  /** What cannot be chosen, and why. */
  private missing(sites: Site[]): string {
    const empty = sites.filter((site) => !site.retrievals).map((site) => site.name);
    const absent = sites.filter((site) => site.retrievals && !this.session.host.hasSite(site.name));
    const told = [
      empty.length ? `Without retrievals: ${empty.join(", ")}.` : "",
      absent.length
        ? `No room in this page for ${absent.map((site) => site.name).join(", ")}: open the trace in a notebook.`
        : "",
    ];
    return told.filter(Boolean).join(" ");
  }
}

/** A heading, and below it names with the sites that they stand for. */
type Group = [string, [string, string][]];

/** Sites by their direction, those without one last. */
function groups(sites: Site[]): Group[] {
  const directions = [...unique(sites.map((site) => site.direction)), null];
  return directions.map((direction) => [
    direction ?? "",
    sites.filter((site) => site.direction === direction).map(({ name }) => [name, name]),
  ]);
}

function unique(names: (string | null)[]): string[] {
  return [...new Set(names)].filter((name) => name !== null);
}

/** The site that stands at the same place among those of another direction; the same one where there is none. */
export function counterpart(sites: Site[], site: string, direction: string): string {
  const own = sites.find((one) => one.name === site)?.direction;
  const inDirection = (wanted: string | null | undefined) => sites.filter((one) => one.direction === wanted);
  const place = inDirection(own).findIndex((one) => one.name === site);
  return inDirection(direction)[place]?.name ?? site;
}
