"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = WhatIf.load(JSON.parse(byId("data").textContent));
  const ahead = data.ahead.map((_, place) => place);
  const numbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const shown = (value) => (value == null ? "-" : numbers.format(value));
  const FLAGS = { promotion: 1, holiday: 2 };
  // What the reader has changed: place of the series -> one {price, promotion, holiday} a month ahead.
  const changes = new Map();
  let at = 0, chart = null;

  const nameOf = (series) => series.key.join(", ");
  const planOf = (series, month) => {
    const [price, promotion, holiday] = series.plan[month];
    return { price, promotion, holiday };
  };
  const plansOf = (place) => changes.get(place) ?? ahead.map((month) => planOf(data.series[place], month));
  const isSame = (one, other) => ["price", "promotion", "holiday"].every((name) => (one[name] ?? null) === (other[name] ?? null));

  // The figures of a month under its plan; those of the batch where nothing was changed.
  const figures = (place, month) => {
    const series = data.series[place], plan = plansOf(place)[month];
    const unchanged = { sales: series.forecast[month], low: series.low[month], high: series.high[month] };
    return isSame(plan, planOf(series, month)) ? unchanged : WhatIf.forecast(data, series, month, plan);
  };

  const change = (month, name, value) => {
    const plans = plansOf(at).map((plan) => ({ ...plan }));
    for (const each of month === null ? ahead : [month]) plans[each][name] = typeof value === "function" ? value(each) : value;
    const series = data.series[at];
    if (plans.every((plan, each) => isSame(plan, planOf(series, each)))) changes.delete(at);
    else changes.set(at, plans);
    show();
  };

  // The list of stores, by what is searched for.
  const list = () => {
    const wanted = byId("search").value.trim().toLowerCase(), country = byId("country").value;
    const places = data.series.map((_, place) => place).filter((place) => {
      const series = data.series[place];
      return (!country || series.country === country) && nameOf(series).toLowerCase().includes(wanted);
    });
    byId("series").replaceChildren(...places.map((place) => {
      const option = document.createElement("option");
      option.value = place;
      option.textContent = `${nameOf(data.series[place])}, ${data.series[place].country}`;
      return option;
    }));
    byId("matches").textContent = places.length ? `${numbers.format(places.length)} to choose from` : "Nothing is called so";
    if (!places.length) return;
    at = places.includes(at) ? at : places[0];
    byId("series").value = at;
    choose();
  };

  const choose = () => {
    for (const id of ["promotion-all", "holiday-all"]) byId(id).value = "";
    byId("price-all").value = 0;
    rows();
    show();
  };

  const cell = (text, kind = "td") => {
    const made = document.createElement(kind);
    made.textContent = text;
    if (kind === "th") made.scope = "row";
    return made;
  };

  const within = (element) => {
    const made = document.createElement("td");
    made.append(element);
    return made;
  };

  const priceInput = (month) => {
    const input = document.createElement("input"), last = data.series[at].price;
    Object.assign(input, { type: "number", min: 0, step: "any", placeholder: last == null ? "" : last.toFixed(2) });
    input.setAttribute("aria-label", `Price, ${data.ahead[month]}`);
    input.addEventListener("change", () => change(month, "price", input.value === "" ? null : Math.max(0, Number(input.value))));
    return input;
  };

  const flagInput = (month, name) => {
    const select = byId(`${name}-all`).cloneNode(true);
    select.removeAttribute("id");
    select.setAttribute("aria-label", `${name === "promotion" ? "Promotion" : "Holiday"}, ${data.ahead[month]}`);
    select.addEventListener("change", () => change(month, name, flag(select.value)));
    return select;
  };

  const flag = (text) => (text === "" ? null : text === "1");

  // One line a month, whose inputs stay while the figures change.
  const rows = () => {
    byId("months").tBodies[0].replaceChildren(...ahead.map((month) => {
      const line = document.createElement("tr");
      line.append(cell(data.ahead[month], "th"), cell(""), cell(""), cell(""), cell(""), within(priceInput(month)),
        within(flagInput(month, "promotion")), within(flagInput(month, "holiday")), cell(""), cell(""), cell(""));
      return line;
    }));
  };

  const lastYear = (series, month) => {
    const place = data.past.length - 12 + month;
    return place >= 0 && place < data.past.length ? series.actual[place] : null;
  };

  const write = (series, level) => {
    const plans = plansOf(at);
    [...byId("months").tBodies[0].rows].forEach((line, month) => {
      const made = figures(at, month), before = series.forecast[month], moved = made.sales - before;
      const isMoved = !isSame(plans[month], planOf(series, month));
      const share = before > 0 ? ` (${moved > 0 ? "+" : ""}${((100 * moved) / before).toFixed(1)} %)` : "";
      const texts = [lastYear(series, month), before, series.low[month], series.high[month]].map(shown);
      texts.forEach((text, place) => { line.cells[place + 1].textContent = text; });
      const [price, promotion, holiday] = [5, 6, 7].map((place) => line.cells[place].firstChild);
      price.value = plans[month].price == null ? "" : Number(plans[month].price.toFixed(4));
      promotion.value = plans[month].promotion == null ? "" : Number(plans[month].promotion);
      holiday.value = plans[month].holiday == null ? "" : Number(plans[month].holiday);
      line.cells[8].textContent = shown(made.sales);
      line.cells[9].textContent = isMoved ? `${moved > 0 ? "+" : ""}${shown(moved)}${share}` : "-";
      line.cells[10].textContent = shown(WhatIf.order(data, series, month, made, level));
      for (const place of [8, 9]) line.cells[place].classList.toggle("moved", isMoved);
    });
  };

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = () => ({ stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } });
  const months = [...data.past, ...data.ahead];
  const line = (stroke, more = {}) => ({ stroke: color(stroke), width: 2, points: { show: false }, ...more });

  const options = () => ({
    width: byId("chart").clientWidth,
    height: 320,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), high * 1.05 || 1] } },
    axes: [
      { ...axis(), incrs: [1, 2, 3, 6, 12, 24], space: 70, values: (_, splits) => splits.map((place) => months[place] ?? "") },
      { ...axis(), size: 70, values: (_, splits) => splits.map(shown) },
    ],
    series: [
      {},
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      line("--actual"),
      line("--quiet", { dash: [2, 4] }),
      line("--forecast", { dash: [6, 4] }),
      line("--changed"),
    ],
    bands: [{ series: [2, 1], fill: color("--band") }],
  });

  const draw = (series) => {
    const before = data.past.length, isChanged = changes.has(at);
    const none = new Array(before).fill(null), lead = none.slice(0, -1);
    const last = series.actual[before - 1] ?? null;
    const lines = [
      months.map((_, place) => place),
      [...none, ...series.low], [...none, ...series.high],
      [...series.actual, ...ahead.map(() => null)],
      [...none, ...ahead.map((month) => lastYear(series, month))],
      [...lead, last, ...series.forecast],
      isChanged ? [...lead, last, ...ahead.map((month) => figures(at, month).sales)] : months.map(() => null),
    ];
    if (chart) chart.destroy();
    chart = new uPlot(options(), lines, byId("chart"));
  };

  const explain = (series) => {
    const box = byId("drivers");
    if (series.drivers === null) { box.replaceChildren(cell("Worked out for the stores that sell most alone.", "p")); return; }
    if (!series.drivers.length) { box.replaceChildren(cell("Nothing alone moves it.", "p")); return; }
    const made = document.createElement("ul");
    made.append(...series.drivers.map(([name, units]) => cell(`${units > 0 ? "+" : ""}${shown(units)} units: ${name}`, "li")));
    box.replaceChildren(cell(`${data.ahead[0]}, against not knowing it (the parts do not add up):`, "p"), made);
  };

  // Totals of the batch, and what the changes make of them.
  const sums = () => {
    const moved = new Map();
    for (const place of changes.keys()) {
      const series = data.series[place];
      for (const name of ["All", series.country]) {
        const sum = moved.get(name) ?? ahead.map(() => 0);
        moved.set(name, sum.map((value, month) => value + figures(place, month).sales - series.forecast[month]));
      }
    }
    const body = data.totals.flatMap((total, place) => {
      const made = document.createElement("tr");
      made.append(cell(total.name, "th"), ...total.forecast.map((value) => cell(shown(value))));
      const changed = moved.get(place === 0 ? "All" : total.name);
      if (!changed) return [made];
      const second = document.createElement("tr");
      second.className = "moved";
      second.append(cell(`${total.name}, with your plan`, "th"), ...total.forecast.map((value, month) => cell(shown(value + changed[month]))));
      return [made, second];
    });
    byId("sums").tBodies[0].replaceChildren(...body);
  };

  const show = () => {
    const series = data.series[at], level = Number(byId("level").value) / 100, percent = Number(byId("price-all").value);
    byId("level-said").textContent = `${byId("level").value} % of such months`;
    byId("price-said").textContent = percent ? `${percent > 0 ? "+" : ""}${percent} % of the last price` : "unchanged";
    byId("price-all").setAttribute("aria-valuetext", byId("price-said").textContent);
    byId("level").setAttribute("aria-valuetext", byId("level-said").textContent);
    byId("price-all").disabled = series.price == null;
    byId("flags").textContent = series.flags.includes("no_recent_sales") ? "It sold nothing in the last year: the forecast rests on little." : "";
    write(series, level);
    draw(series);
    explain(series);
    sums();
    byId("changed").textContent = changes.size ? `${changes.size} changed` : "nothing changed yet";
    byId("export").disabled = !changes.size;
    byId("reset").disabled = !changes.has(at);
  };

  // The plan as make forecast takes it: what was planned before, and what was changed.
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const csv = () => {
    const lines = data.series.flatMap((series, place) => plansOf(place).map((plan, month) => {
      const values = [plan.price, plan.promotion, plan.holiday];
      if (values.every((value) => value == null)) return null;
      return [...series.key.map(quoted), data.ahead[month], ...values.map((value) => value ?? "")].join(",");
    }));
    return [[...data.keys, "MonthYear", "Price", "Promotion", "Holiday"].join(","), ...lines.filter((each) => each !== null), ""].join("\n");
  };

  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = "plan.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };

  byId("search").addEventListener("input", list);
  byId("country").addEventListener("change", list);
  byId("series").addEventListener("change", () => { at = Number(byId("series").value); choose(); });
  byId("level").addEventListener("input", show);
  byId("price-all").addEventListener("input", () => {
    const percent = Number(byId("price-all").value), series = data.series[at];
    change(null, "price", (month) => (percent ? series.price * (1 + percent / 100) : planOf(series, month).price));
  });
  for (const name of Object.keys(FLAGS)) {
    byId(`${name}-all`).addEventListener("change", () => change(null, name, flag(byId(`${name}-all`).value)));
  }
  byId("reset").addEventListener("click", () => { changes.delete(at); choose(); });
  byId("export").addEventListener("click", save);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  new ResizeObserver(() => { if (chart && chart.width !== byId("chart").clientWidth) draw(data.series[at]); }).observe(byId("chart"));

  const head = document.createElement("tr");
  head.append(...["Country", ...data.ahead].map((name) => { const made = cell(name, "th"); made.scope = "col"; return made; }));
  byId("sums").tHead.append(head);
  window.explorer = { data, csv };
  list();
})();
