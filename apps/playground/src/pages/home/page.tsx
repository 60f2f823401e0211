import "./home.css";
import type { FunctionComponent } from "preact";
import { Link } from "wouter-preact";
import { Adapter } from "./adapter.js";
import {
  ArchitecturesDrawing,
  LessonsDrawing,
  NetworkDrawing,
  TakeAwayDrawing,
  TrainDrawing,
  TryDrawing,
} from "./drawings.js";

interface Door {
  readonly path: string;
  readonly name: string;
  readonly line: string;
  readonly Drawing: FunctionComponent;
}

const doors: readonly Door[] = [
  {
    path: "/architectures",
    name: "Architectures",
    line: "Take a network apart: its graph, what each layer costs, what it sees.",
    Drawing: ArchitecturesDrawing,
  },
  {
    path: "/train",
    name: "Train",
    line: "Train one here, on digits or on pictures of your own, and watch it learn.",
    Drawing: TrainDrawing,
  },
  {
    path: "/try",
    name: "Try",
    line: "Show it a picture; see what it answers, and where it looked.",
    Drawing: TryDrawing,
  },
  {
    path: "/lessons",
    name: "Lessons",
    line: "Short experiments on live networks, one idea of the field’s history each.",
    Drawing: LessonsDrawing,
  },
  {
    path: "/take-away",
    name: "Take it away",
    line: "Export it as ONNX, safetensors or a program; import others; share a link.",
    Drawing: TakeAwayDrawing,
  },
];

export const Page: FunctionComponent = () => (
  <div class="home">
    <div class="home-opening">
      <div class="stack">
        <h1>See, train and compare convolutional networks</h1>
        <p class="home-lead">
          Here are the networks of the field’s history, from LeNet to DenseNet, as their papers describe them. Take one
          apart, train it, and see what it looks at.
        </p>
      </div>
      <NetworkDrawing />
    </div>
    <ul class="home-doors">
      {doors.map(({ path, name, line, Drawing }) => (
        <li key={path} class="home-door">
          <Drawing />
          <div>
            <h2>
              <Link href={path}>{name}</Link>
            </h2>
            <p class="quiet">{line}</p>
          </div>
        </li>
      ))}
    </ul>
    <dl class="home-facts">
      <div>
        <dt>What computes</dt>
        <dd>
          <Adapter />
        </dd>
      </div>
      <div>
        <dt>Your pictures and networks</dt>
        <dd>Nothing leaves your machine. Once opened, the playground works without a network connection.</dd>
      </div>
    </dl>
  </div>
);
