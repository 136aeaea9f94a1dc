import { figure } from "./figure.ts";
import type { Bar, Chart } from "./result.ts";

const WIDTH = 820;
const LABELS = 300;
const BARS = 400;
const ROW = 24;
const TITLE = 34;
const GAP = 18;

/** No colour is the only sign of anything: bars carry their names, figures and ranges as text. */
const STYLE = `text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-weight:600}.figure{fill:#59636e}.bar{fill:#afb8c1}.ours{fill:#0969da}.range{stroke:#1f2328;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.figure{fill:#9198a1}.bar{fill:#545d68}.ours{fill:#4493f8}.range{stroke:#e6edf3}}`;

/** Horizontal bars, a scale for each chart, a line over the bar for the range of its blocks. */
export function formatPlot(charts: readonly Chart[]): string {
  let y = 0;
  const drawn = charts.map((chart) => {
    const top = y;
    y += TITLE + chart.bars.length * ROW + GAP;
    return drawChart(chart, top);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<style>${STYLE}</style>
${drawn.join("")}</svg>
`;
}

function drawChart({ title, unit, bars }: Chart, top: number): string {
  const most = Math.max(...bars.map((bar) => bar.high), Number.MIN_VALUE);
  const x = (value: number) => LABELS + (BARS * value) / most;
  return `<text class="title" x="0" y="${top + 20}">${escapeXml(title)}</text>\n${bars
    .map((bar, i) => drawBar(bar, unit, top + TITLE + i * ROW, x))
    .join("")}`;
}

function drawBar(bar: Bar, unit: string, top: number, x: (value: number) => number): string {
  const at = (value: number) => x(value).toFixed(1);
  const middle = top + 9;
  return `<text x="${LABELS - 10}" y="${top + 14}" text-anchor="end">${escapeXml(bar.label)}</text>
<rect class="${bar.ours ? "ours" : "bar"}" x="${LABELS}" y="${top}" width="${Math.max(1, x(bar.value) - LABELS).toFixed(1)}" height="18"/>
<path class="range" d="M${at(bar.low)} ${middle}H${at(bar.high)}M${at(bar.low)} ${middle - 4}v8M${at(bar.high)} ${middle - 4}v8"/>
<text class="figure" x="${(x(bar.high) + 8).toFixed(1)}" y="${top + 14}">${figure(bar.value)} ${escapeXml(unit)}</text>
`;
}

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
