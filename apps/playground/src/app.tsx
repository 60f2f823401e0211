import "./app.css";
import { type ComponentType, type FunctionComponent, h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link, Route, Router, Switch } from "wouter-preact";
import { NewVersion } from "./offline/new-version.js";
import { linkProblem, useLocation } from "./routing.js";
import { Button, Notice, PageHeading, Spinner } from "./ui/index.js";
import { ThemeSwitch } from "./ui/theme-switch.js";

/** A page is loaded when it is first opened. */
interface PageEntry {
  readonly path: string;
  readonly name: string;
  readonly load: () => Promise<{ readonly Page: ComponentType }>;
}

const pages: readonly PageEntry[] = [
  { path: "/architectures", name: "Architectures", load: () => import("./pages/architectures/page.js") },
  { path: "/train", name: "Train", load: () => import("./pages/train/page.js") },
  { path: "/try", name: "Try", load: () => import("./pages/try/page.js") },
  { path: "/lessons", name: "Lessons", load: () => import("./pages/lessons/page.js") },
  { path: "/take-away", name: "Take it away", load: () => import("./pages/take-away/page.js") },
];

const home: PageEntry = { path: "/", name: "ocelli", load: () => import("./pages/home/page.js") };

export const App: FunctionComponent = () => (
  <Router hook={useLocation}>
    <Arrival />
    <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
      Skip to the content
    </button>
    <Header />
    <NewVersion />
    <main id="main" tabIndex={-1}>
      {linkProblem.value === undefined ? null : (
        <Notice kind="error" title="The link could not be followed:">
          {linkProblem.value}
        </Notice>
      )}
      <Switch>
        {[home, ...pages].map((page) => (
          <Route key={page.path} path={page.path}>
            <Loaded page={page} />
          </Route>
        ))}
        <Route>
          <NoSuchPage />
        </Route>
      </Switch>
    </main>
  </Router>
);

const NoSuchPage: FunctionComponent = () => {
  useEffect(() => {
    document.title = titleOf("No such page");
  }, []);
  return (
    <>
      <PageHeading title="There is no such page" />
      <Notice kind="error">
        The address names a page that the playground does not have. <Link href="/">Go to the start</Link>
      </Notice>
    </>
  );
};

const titleOf = (name: string): string => `${name} · ocelli playground`;

/** Who goes to another page begins at its top: those who look, those who listen, those who tab. */
const Arrival: FunctionComponent = () => {
  const [location] = useLocation();
  const before = useRef(location);
  useEffect(() => {
    if (before.current === location) return;
    before.current = location;
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [location]);
  return null;
};

const Header: FunctionComponent = () => {
  const [location] = useLocation();
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow screen, the pages' names scroll.
    nav.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [location]);
  return (
    <header class="top">
      <Link href="/" class="brand">
        <img src="./icon.svg" alt="" width="28" height="28" />
        <span>ocelli</span>
      </Link>
      <nav aria-label="Pages" ref={nav}>
        {pages.map(({ path, name }) => (
          <Link key={path} href={path} aria-current={location === path ? "page" : undefined}>
            {name}
          </Link>
        ))}
      </nav>
      <ThemeSwitch />
    </header>
  );
};

const Loaded: FunctionComponent<{ readonly page: PageEntry }> = ({ page }) => {
  const [content, setContent] = useState<ComponentType>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    document.title = page === home ? "ocelli playground" : titleOf(page.name);
    page.load().then(
      ({ Page }) => setContent(() => Page),
      (error: Error) => setFailure(error.message),
    );
  }, [page]);
  if (failure !== undefined)
    return (
      <Notice
        kind="error"
        title={`${page.name} could not be loaded`}
        actions={<Button onClick={() => location.reload()}>Reload</Button>}
      >
        {failure}. The site may have a new version, or the network is away.
      </Notice>
    );
  return content === undefined ? <Spinner label={`Loading ${page.name}`} /> : h(content, null);
};
