import "./lesson-body.css";
import type { ComponentChildren, FunctionComponent } from "preact";
import { useId, useState } from "preact/hooks";
import { Panel } from "../../../ui/index.js";

interface Reading {
  /** Authors, title, where and when. */
  readonly citation: string;
  /** What it is read for. */
  readonly what: string;
}

interface LessonBodyProps {
  readonly question: string;
  /** What one may expect, in a few words each. */
  readonly expectations: readonly string[];
  /** What has to be known for the question. */
  readonly setting: ComponentChildren;
  readonly experiment: ComponentChildren;
  /** In numbers; undefined as long as there are none. */
  readonly seen: ComponentChildren | undefined;
  readonly why: ComponentChildren;
  readonly reading: readonly Reading[];
}

/** A lesson's course: question, experiment, what was seen, why, and where to read on. */
export const LessonBody: FunctionComponent<LessonBodyProps> = (props) => {
  const { question, expectations, setting, experiment, seen, why, reading } = props;
  const [expected, setExpected] = useState<string>();
  return (
    <div class="lesson-body">
      <Panel title="What do you expect?" class="lesson-question">
        <p>{setting}</p>
        <Question {...{ question, expectations, expected }} onAnswer={setExpected} />
      </Panel>
      {experiment}
      <Panel title="What was seen">
        {expected === undefined ? null : <p class="quiet">You expected: {expected}.</p>}
        {seen ?? <p class="quiet">Nothing yet: start the experiment.</p>}
      </Panel>
      <Panel title="Why">
        <div class="lesson-why">{why}</div>
        <h3>Where to read on</h3>
        <ul class="lesson-reading">
          {reading.map(({ citation, what }) => (
            <li key={citation}>
              {citation} <span class="quiet">{what}</span>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
};

interface QuestionProps {
  readonly question: string;
  readonly expectations: readonly string[];
  readonly expected: string | undefined;
  readonly onAnswer: (answer: string) => void;
}

const Question: FunctionComponent<QuestionProps> = ({ question, expectations, expected, onAnswer }) => {
  const name = useId();
  return (
    <fieldset class="lesson-expectations">
      <legend>{question}</legend>
      {expectations.map((answer) => (
        <label key={answer}>
          <input type="radio" name={name} checked={answer === expected} onChange={() => onAnswer(answer)} />
          <span>{answer}</span>
        </label>
      ))}
    </fieldset>
  );
};
