import type { FunctionComponent } from "preact";
import { PageHeading } from "../../ui/index.js";

export const Page: FunctionComponent = () => <PageHeading title="Home" />;
