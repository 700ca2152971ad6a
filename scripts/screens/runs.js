"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const table = byId("compared");
  if (!table) return;
  const figures = new Map(JSON.parse(byId("data").textContent).map((run) => [run.name, run.figures]));
  const percent = (value) => (value == null ? "-" : `${(100 * value).toFixed(1)}%`);
  const change = (now, before) => {
    if (now == null || before == null) return "-";
    const points = 100 * (now - before);
    return `${points > 0 ? "+" : ""}${points.toFixed(1)}`;
  };
  const show = () => {
    const now = figures.get(byId("first").value), before = figures.get(byId("second").value);
    const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
    table.tBodies[0].replaceChildren(...names.map((name) => {
      const line = document.createElement("tr"), head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      const cells = [0, 1].flatMap((at) => {
        const [one, other] = [now[name]?.[at], before[name]?.[at]];
        return [percent(one), percent(other), change(one, other)];
      });
      line.append(head, ...cells.map((text) => { const cell = document.createElement("td"); cell.textContent = text; return cell; }));
      return line;
    }));
  };
  for (const id of ["first", "second"]) byId(id).addEventListener("change", show);
  show();
})();
