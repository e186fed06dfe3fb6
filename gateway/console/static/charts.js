// Draws the figures by day with uPlot; the values stand in the page.
(() => {
  const draw = section => {
    const chart = JSON.parse(section.dataset.chart), plot = section.querySelector(".plot");
    const keys = [...section.querySelectorAll(".key li")], day = keys.pop();
    const style = getComputedStyle(document.body), colour = name => style.getPropertyValue(name).trim();
    const colours = keys.map(key => getComputedStyle(key.querySelector("i")).color);
    const seconds = chart.days.map(text => Date.parse(`${text}T00:00:00Z`) / 1000);
    const short = value => value === null || value === undefined ? "none"
      : chart.unit === "ms" ? (value >= 1000 ? `${+(value / 1000).toFixed(2)} s` : `${value} ms`)
      : chart.unit === "%" ? `${+value.toFixed(1)} %`
      : chart.unit === "money" ? `${value.toFixed(value < 10 ? 2 : 0)} ${chart.currency}`
      : value.toLocaleString("en");
    const label = index => keys.forEach((key, number) => {
      const values = chart.series[number].values, known = values.filter(value => value !== null);
      const shown = index !== null ? values[index] : chart.kind === "bars" ? known.reduce((sum, value) => sum + value, 0) : known[known.length - 1];
      key.querySelector("b").textContent = short(shown ?? null);
      day.textContent = index !== null ? chart.days[index] : chart.kind === "bars" ? "in all" : "on the last day";
    });
    const bars = chart.kind === "bars";
    let below = chart.days.map(() => 0);
    const stacked = chart.series.map(series => {
      if (!bars) return series.values;
      below = below.map((value, index) => value + (series.values[index] || 0));
      return below;
    });
    const series = chart.series.map((_, number) => bars
      ? { fill: colours[number], width: 0, paths: uPlot.paths.bars({ size: [0.7, 34] }), points: { show: false } }
      : { stroke: colours[number], width: 2, points: { show: true, size: 5, fill: colours[number], width: 0 } });
    const order = bars ? stacked.map((_, number) => number).reverse() : stacked.map((_, number) => number);  // the tallest first, behind the others
    const axis = { stroke: colour("--faint"), font: "12px system-ui, sans-serif", grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false } };
    const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const made = new uPlot({
      width: plot.clientWidth, height: 220, padding: [12, 8, 0, 0],
      tzDate: at => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !bars } },
      scales: { x: { time: true, range: (_, low, high) => [low - 43200, high + 43200] }, y: { range: (_, low, high) => [0, Math.max(high, chart.unit === "" ? 4 : 0.01) * 1.08] } },
      axes: [
        { ...axis, grid: { show: false }, size: 34, gap: 10, space: 56, incrs: [1, 2, 3, 5, 7, 14, 30].map(count => count * 86400), values: (_, ticks) => ticks.map(tick => { const date = new Date(tick * 1000); return `${date.getUTCDate()} ${months[date.getUTCMonth()]}`; }) },
        { ...axis, size: 62, space: 40, values: (_, ticks) => ticks.map(tick => chart.unit === "" && tick % 1 ? "" : tick === 0 && chart.unit !== "ms" ? "0" : short(+tick.toPrecision(6))) },
      ],
      series: [{}, ...order.map(number => series[number])],
      hooks: { setCursor: [self => label(self.cursor.idx ?? null)] },
    }, [seconds, ...order.map(number => stacked[number])], plot);
    label(null);
    plot.addEventListener("mouseleave", () => label(null));
    return made;
  };
  const sections = [...document.querySelectorAll("[data-chart]")];
  let charts = sections.map(draw);
  const fit = () => charts.forEach((chart, number) => {
    const width = sections[number].querySelector(".plot").clientWidth;
    if (width !== chart.width) chart.setSize({ width, height: 220 });
  });
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    charts.forEach(chart => chart.destroy());
    charts = sections.map(draw);
  });
})();
