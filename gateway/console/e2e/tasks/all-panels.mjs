// A dashboard with a panel of every type, for the pages to show.
export const ALL = "e2e-all";

const search = (query) => ({
  search: { index: "oceanus_test2", timeField: "createTime", metric: "count", overTime: false, ...query },
});
const box = (x, y, width, height) => ({ x, y, width, height });

export const allPanels = {
  name: ALL,
  title: "All panels",
  description: "A panel of every type",
  range: "now-1h",
  variables: [{ name: "job", label: "Job", value: ".*", source: "label:job_name" }],
  panels: [
    {
      id: "p0",
      type: "PANEL_TYPE_TEXT",
      ...box(0, 0, 24, 3),
      text: "## What this shows\nLines of **top**, as the [demonstration](/search) writes them. `$job` is *any* job.",
    },
    {
      id: "p1",
      title: "Busy, $job",
      type: "PANEL_TYPE_LINE",
      ...box(0, 3, 8, 8),
      unit: "ms",
      queries: [
        {
          promql: { expr: 'flink_taskmanager_job_task_busyTimeMsPerSecond{job_name=~"$job"}' },
          legend: "{{job_name}}",
        },
        { promql: { expr: 'flink_taskmanager_job_task_idleTimeMsPerSecond{job_name=~"$job"}' }, legend: "idle" },
      ],
    },
    {
      id: "p2",
      title: "Lines by machine",
      type: "PANEL_TYPE_AREA",
      ...box(8, 3, 8, 8),
      unit: "short",
      stacked: true,
      queries: [{ ...search({ groupBy: "path.keyword", overTime: true }), legend: "" }],
    },
    {
      id: "p3",
      title: "Lines by address",
      type: "PANEL_TYPE_PIE",
      ...box(16, 3, 8, 8),
      unit: "short",
      queries: [search({ groupBy: "ip.keyword" })],
    },
    {
      id: "p4",
      title: "Processes",
      type: "PANEL_TYPE_STAT",
      ...box(0, 11, 6, 4),
      unit: "short",
      queries: [{ promql: { expr: "sum(up)", instant: true } }],
    },
    {
      id: "p5",
      title: "Most frequent lines",
      type: "PANEL_TYPE_BAR",
      ...box(6, 11, 10, 8),
      unit: "short",
      queries: [search({ groupBy: "message.keyword", size: 8 })],
    },
    {
      id: "p6",
      title: "Services",
      type: "PANEL_TYPE_TABLE",
      ...box(16, 11, 8, 8),
      unit: "s",
      queries: [{ promql: { expr: "scrape_duration_seconds", instant: true } }],
    },
    {
      id: "p7",
      title: "Position, 95 % percentile",
      type: "PANEL_TYPE_BAR",
      ...box(0, 15, 6, 4),
      unit: "bytes",
      queries: [search({ metric: "p95", field: "num", overTime: true })],
    },
    {
      id: "p8",
      title: "Lines with kworker",
      type: "PANEL_TYPE_LOGS",
      ...box(0, 19, 24, 8),
      queries: [search({ query: "kworker" })],
    },
  ],
};
