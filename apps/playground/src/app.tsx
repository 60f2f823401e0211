import "./app.css";
import { type ComponentType, type FunctionComponent, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, Route, Router, Switch } from "wouter-preact";
import { linkProblem, useLocation } from "./routing.js";
import { Notice, Spinner } from "./ui/index.js";
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
    <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
      Skip to the content
    </button>
    <Header />
    <main id="main" tabIndex={-1}>
      {linkProblem.value === undefined ? null : (
        <Notice kind="error" title="The link could not be followed">
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
          <Notice kind="error" title="There is no such page">
            The address names a page that the playground does not have. <Link href="/">Go to the start</Link>
          </Notice>
        </Route>
      </Switch>
    </main>
  </Router>
);

const Header: FunctionComponent = () => {
  const [location] = useLocation();
  return (
    <header class="top">
      <Link href="/" class="brand">
        <img src="./icon.svg" alt="" width="28" height="28" />
        <span>ocelli</span>
      </Link>
      <nav aria-label="Pages">
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
    document.title = page === home ? "ocelli playground" : `${page.name} · ocelli playground`;
    page.load().then(
      ({ Page }) => setContent(() => Page),
      (error: Error) => setFailure(error.message),
    );
  }, [page]);
  if (failure !== undefined)
    return (
      <Notice kind="error" title={`${page.name} could not be loaded`}>
        {failure}. Reload the page; without a network, pages work once they were opened with one.
      </Notice>
    );
  return content === undefined ? <Spinner label={`Loading ${page.name}`} /> : h(content, null);
};
