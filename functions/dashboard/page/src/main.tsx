import "uplot/dist/uPlot.min.css";
import "./style/page.css";
import { render } from "preact";
import { App } from "./frame/app";
import { preload } from "./frame/lazy";
import { keepKeyOutOfAddress } from "./frame/license_address";

keepKeyOutOfAddress();
preload(new URLSearchParams(location.search).get("view") ?? "overview");

const root = document.getElementById("page");
if (root) render(<App />, root);
