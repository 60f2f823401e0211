import "./page.css";
import { ArrowLeft, ArrowRight } from "lucide-preact";
import { type ComponentType, type FunctionComponent, h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Notice, PageHeading, Spinner } from "../../ui/index.js";
import { catalogue, type LessonEntry } from "./catalogue.js";

/** The list of lessons, or the one that the address names: `#/lessons?lesson=inception`. */
export const Page: FunctionComponent = () => {
  const name = useLessonName();
  const entry = catalogue.find((one) => one.name === name);
  useEffect(() => {
    document.title = `${entry?.title ?? "Lessons"} · ocelli playground`;
  }, [entry]);
  if (entry !== undefined) return <OpenLesson key={entry.name} entry={entry} />;
  return (
    <>
      <PageHeading title="Lessons">
        Short experiments on live networks. Each begins with a question: answer it for yourself before you press start.
      </PageHeading>
      {name === undefined ? null : (
        <Notice kind="error" title="There is no such lesson">
          The address names the lesson "{name}". These are the ones there are.
        </Notice>
      )}
      <ol class="lessons-list">
        {catalogue.map((one, i) => (
          <li key={one.name}>
            <a href={`#/lessons?lesson=${one.name}`}>
              <span class="lessons-number" aria-hidden="true">
                {i + 1}
              </span>
              <span class="lessons-name">{one.title}</span>
            </a>
            <p>{one.teaches}</p>
            <p class="quiet small">about {one.minutes} minutes</p>
          </li>
        ))}
      </ol>
    </>
  );
};

/** Follows the address; the shell's router looks at what stands before the question mark alone. */
function useLessonName(): string | undefined {
  const [name, setName] = useState(nameInAddress);
  useEffect(() => {
    const follow = (): void => setName(nameInAddress());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return name;
}

const nameInAddress = (): string | undefined =>
  new URLSearchParams(location.hash.split("?")[1] ?? "").get("lesson") ?? undefined;

const OpenLesson: FunctionComponent<{ readonly entry: LessonEntry }> = ({ entry }) => {
  const { title, teaches, load } = entry;
  const heading = useRef<HTMLDivElement>(null);
  const [content, setContent] = useState<ComponentType>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    // Whoever came from the list by keyboard goes on here.
    scrollTo({ top: 0 });
    heading.current?.focus();
    load().then(
      ({ Lesson }) => setContent(() => Lesson),
      (error: Error) => setFailure(error.message),
    );
  }, [load]);
  return (
    <article class="lesson">
      <div ref={heading} class="lesson-heading" tabIndex={-1}>
        <a href="#/lessons" class="lesson-back">
          <ArrowLeft size={16} aria-hidden="true" /> All lessons
        </a>
        <PageHeading title={title}>{teaches}</PageHeading>
      </div>
      {failure === undefined ? null : (
        <Notice kind="error" title="The lesson could not be loaded">
          {failure}. Reload the page; without a network, lessons work once they were opened with one.
        </Notice>
      )}
      {content === undefined && failure === undefined ? <Spinner label="Loading the lesson" /> : null}
      {content === undefined ? null : h(content, null)}
      <Onward entry={entry} />
    </article>
  );
};

/** The lesson after this one; after the last, the list. */
const Onward: FunctionComponent<{ readonly entry: LessonEntry }> = ({ entry }) => {
  const next = catalogue[catalogue.indexOf(entry) + 1];
  return (
    <nav class="lesson-onward" aria-label="Further">
      {next === undefined ? (
        <a href="#/lessons">Back to the list of lessons</a>
      ) : (
        <a href={`#/lessons?lesson=${next.name}`}>
          Next: {next.title} <ArrowRight size={16} aria-hidden="true" />
        </a>
      )}
    </nav>
  );
};
