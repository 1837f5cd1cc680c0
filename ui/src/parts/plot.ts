// The one place that knows the chart library. Colours come from the page's own variables; loaded only where a plot is.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { language } from '../i18n.svelte';

/** `stepped`: a value holds until the next one. */
interface Look { height: number; stepped: boolean; format: (value: number) => string; onhover: (index: number | null) => void }

export function draw(box: HTMLElement, data: [number[], number[]], { height, format, stepped, onhover }: Look): uPlot {
  const css = getComputedStyle(document.documentElement);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const font = `11px ${colour('--font')}`;
  const grid = { stroke: colour('--line'), width: 1 };
  const time = new Intl.DateTimeFormat(language.locale, { hour: '2-digit', minute: '2-digit' });
  const fine = new Intl.DateTimeFormat(language.locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return new uPlot({
    width: box.clientWidth || 300,
    height,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 8, fill: colour('--accent') } },
    scales: { y: { range: (_, least, most) => [Math.min(0, least), most > 0 ? most * 1.1 : 1] } },
    series: [{}, { stroke: colour('--accent'), width: 2, fill: `color-mix(in srgb, ${colour('--accent')} 16%, transparent)`, points: { show: false }, ...(stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}) }],
    axes: [
      { stroke: colour('--quiet'), font, grid: { show: false }, ticks: { show: false }, space: 70, size: 28,
        values: (_, splits, __, ___, step) => splits.map((seconds) => (step < 60 ? fine : time).format(new Date(seconds * 1000))) },
      { stroke: colour('--quiet'), font, grid, ticks: { show: false }, size: 62,
        values: (_, splits) => splits.map((value) => format(value)) },
    ],
    hooks: { setCursor: [(plot) => onhover(plot.cursor.idx ?? null)] },
  }, data, box);
}
