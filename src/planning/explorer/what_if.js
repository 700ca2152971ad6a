"use strict";
// The model in the page: the same inputs, trees and sums as the endpoint's (demand/direct.py), or a grid of them.
const WhatIf = (() => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const decoded = (trees) => ({
    base: trees.base,
    first: new Int32Array(bytes(trees.first)),
    feature: new Int16Array(bytes(trees.feature)),
    value: new Float32Array(bytes(trees.value)),
    left: new Int16Array(bytes(trees.left)),
    right: new Int16Array(bytes(trees.right)),
    missingLeft: new Uint8Array(bytes(trees.missingLeft)),
  });

  // Sum of the trees for one row of inputs (float32), in double precision.
  const sum = (trees, x) => {
    let total = 0;
    for (const first of trees.first) {
      let node = first;
      while (trees.feature[node] >= 0) {
        const value = x[trees.feature[node]];
        const goesLeft = Number.isNaN(value) ? trees.missingLeft[node] : value <= trees.value[node];
        node = first + (goesLeft ? trees.left[node] : trees.right[node]);
      }
      total += trees.value[node];
    }
    return total + trees.base;
  };

  // Inputs of a month with its plan; prices are relative to the series' mean price.
  const planned = (series, part, month, plan, columns) => {
    const x = series.decoded[part].slice(month * columns.count, (month + 1) * columns.count);
    const mean = series.prices[part][month];
    if (plan.price != null && mean != null) x[columns.Price] = plan.price / mean;
    if (plan.promotion != null) x[columns.Promotion] = Number(plan.promotion);
    if (plan.holiday != null) x[columns.Holiday] = Number(plan.holiday);
    return x;
  };

  const bounds = (data, series, month, forecast) => {
    const ahead = month + 1, model = data.model;
    const bucket = ahead >= 4 ? 2 : ahead >= 2 ? 1 : 0;
    const shift = model.offset * series.usual[month];
    const raised = Math.max(forecast, 0) + shift;
    const [low, high] = [model.low, model.high].map((each) => raised * Math.exp(each[bucket] * series.scale) - shift);
    return [Math.min(low, forecast), Math.max(high, forecast)];
  };

  const direct = (data, series, month, plan) => {
    const isPlanned = plan.price != null || plan.promotion != null || plan.holiday != null;
    let total = 0;
    data.model.parts.forEach((part, place) => {
      const units = part.trees === null
        ? series.units[place][month]
        : sum(part.decoded, planned(series, place, month, plan, data.columns)) * series.factors[place][month];
      total += (isPlanned ? part.weightWithPlan : part.weight) * units;
    });
    const [low, high] = bounds(data, series, month, total);
    const floored = (value) => (data.floor === null ? value : Math.max(value, data.floor));
    return { sales: floored(total), low: floored(low), high: floored(high) };
  };

  const near = (values, wanted) => values.reduce(
    (best, each, place) => (Math.abs(each - wanted) < Math.abs(values[best] - wanted) ? place : best), 0);

  const onGrid = (data, series, month, plan) => {
    const { prices, promotions, holidays } = data.model;
    const factor = plan.price == null || !series.price ? 1 : plan.price / series.price;
    const flag = (values, value) => Math.max(0, values.indexOf(value ?? null));
    const place = ((month * prices.length + near(prices, factor)) * promotions.length
      + flag(promotions, plan.promotion)) * holidays.length + flag(holidays, plan.holiday);
    const [sales, low, high] = series.decodedGrid.slice(3 * place, 3 * place + 3);
    return { sales, low, high };
  };

  // Makes arrays of the texts in the data, once.
  const load = (data) => {
    for (const part of data.model.parts ?? []) part.decoded = part.trees && decoded(part.trees);
    for (const series of data.series) {
      if (data.model.kind === "grid") series.decodedGrid = new Float64Array(bytes(series.grid));
      else series.decoded = series.inputs.map((each) => each && new Float32Array(bytes(each)));
    }
    return data;
  };

  // {sales, low, high} in units of a series in a month ahead (0 is the first) under a plan {price, promotion, holiday},
  // each null where it is not known.
  const forecast = (data, series, month, plan) =>
    (data.model.kind === "grid" ? onGrid : direct)(data, series, month, plan);

  // Units that cover a month's sales with a probability (0.5 to 0.99): the interval's upper end, drawn out as that of a
  // log-normal distribution whose 90 % quantile is P90.
  const order = (data, series, month, one, level) => {
    const shift = data.model.offset * series.usual[month];
    const ratio = (one.high + shift) / (one.sales + shift);
    return Math.max(0, (one.sales + shift) * Math.exp((normal(level) / normal(0.9)) * Math.log(ratio)) - shift);
  };

  // Quantile of the normal distribution: Acklam's rational approximation, relative error below 1.2e-9.
  const normal = (p) => {
    const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239];
    const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
    const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
    const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
    const at = (terms, x) => terms.reduce((value, term) => value * x + term, 0);
    if (p > 0.97575) {
      const tail = Math.sqrt(-2 * Math.log(1 - p));
      return -at(c, tail) / at([...d, 1], tail);
    }
    const q = p - 0.5, r = q * q;
    return (at(a, r) * q) / at([...b, 1], r);
  };

  return { load, forecast, order, normal };
})();
