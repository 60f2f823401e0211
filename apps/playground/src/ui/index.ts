export { Button, IconButton } from "./button.js";
export { Checkbox, type Choice, Field, NumberField, Select, Slider } from "./field.js";
export { FileDrop } from "./file-drop.js";
export { LineChart, type Series } from "./line-chart.js";
export { Notice, Progress, Spinner } from "./notice.js";
export { Figure, Figures, PageHeading, Panel } from "./panel.js";
export { Pixels } from "./pixels.js";
export { type Column, Table } from "./table.js";
export { Tabs } from "./tabs.js";
