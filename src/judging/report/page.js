"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data-of-the-chart").textContent);
  const months = data.months;
  const places = months.map((_, place) => place);
  const choice = byId("series"), slider = byId("month"), readout = byId("readout"), box = byId("chart");
  const numbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
  const shown = (value) => (value == null ? "-" : numbers.format(value));
  let chart = null;

  const totals = choice.querySelector("optgroup").children.length;
  const stores = new Map(data.series.slice(totals).map((series) => [series.name, series]));
  // Totals are chosen by their place, since a store may be called as a country is; both lie in one list.
  const chosen = () => {
    const option = choice.selectedOptions[0];
    return option.parentElement.label === "Totals" ? data.series[Number(option.value)] : stores.get(option.value);
  };

  const full = (series, key) => places.map((place) => (place < series.first ? null : series[key][place - series.first]));
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const axis = () => ({ stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } });

  const options = () => ({
    width: box.clientWidth,
    height: 320,
    legend: { show: false },
    cursor: { drag: { setScale: false }, y: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), high * 1.05 || 1] } },
    axes: [
      { ...axis(), incrs: [1, 2, 3, 6, 12, 24], space: 70, values: (_, splits) => splits.map((at) => months[at] ?? "") },
      { ...axis(), size: 70, values: (_, splits) => splits.map(shown) },
    ],
    series: [
      {},
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: color("--actual"), width: 2, points: { show: false } },
      { stroke: color("--forecast"), width: 2, dash: [6, 4], points: { show: false } },
    ],
    bands: [{ series: [2, 1], fill: color("--band") }],
    hooks: {
      setCursor: [(drawn) => {
        if (drawn.cursor.idx == null || drawn.cursor.left < 0 || !box.matches(":hover")) return;
        slider.value = drawn.cursor.idx;
        tell();
      }],
    },
  });

  const draw = () => {
    const series = chosen();
    const lines = [places, full(series, "low"), full(series, "high"), series.actual, full(series, "forecast")];
    if (chart) chart.destroy();
    chart = new uPlot(options(), lines, box);
    byId("figures").replaceChildren(...places.map((place) => row(series, place)));
    tell();
  };

  const row = (series, place) => {
    const line = document.createElement("tr"), at = place - series.first;
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = months[place];
    const cells = [series.actual[place], series.forecast[at], series.low[at], series.high[at]].map((value) => {
      const cell = document.createElement("td");
      cell.textContent = shown(value);
      return cell;
    });
    line.append(head, ...cells);
    return line;
  };

  const sentence = (series, place) => {
    const at = place - series.first;
    const sold = `${months[place]}: sold ${shown(series.actual[place])}`;
    if (series.forecast[at] == null) return sold;
    const band = series.low[at] == null ? "" : `, between ${shown(series.low[at])} and ${shown(series.high[at])}`;
    return `${sold}, forecast ${shown(series.forecast[at])}${band}`;
  };

  const tell = () => {
    const place = Number(slider.value), text = sentence(chosen(), place);
    readout.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    if (!box.matches(":hover")) chart.setCursor({ left: chart.valToPos(place, "x"), top: 0 }, false);
  };

  choice.addEventListener("change", draw);
  slider.addEventListener("input", tell);
  for (const button of document.querySelectorAll("button[data-series]")) {
    button.addEventListener("click", () => {
      const option = [...choice.options].find((each) => each.value === button.dataset.series
        && each.parentElement.label === "Stores");
      option.selected = true;
      draw();
      choice.scrollIntoView({ block: "center" });
      choice.focus();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => { if (chart && chart.width !== box.clientWidth) draw(); }).observe(box);
  draw();
})();
