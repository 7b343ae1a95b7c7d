import { LETTERS } from "./setup.mjs";
import { alertPages } from "./tasks/alerts.mjs";
import { closer, dashboards } from "./tasks/dashboards.mjs";
import { flow } from "./tasks/flow.mjs";
import { jobs } from "./tasks/jobs.mjs";
import { letters } from "./tasks/letters.mjs";
import { messages } from "./tasks/messages.mjs";
import { search } from "./tasks/search.mjs";
import { guardedPages, settingsPages } from "./tasks/settings.mjs";
import { sources } from "./tasks/sources.mjs";

// What the end-to-end run opens: every page, what shows that it has its data, and its task.
export const pages = [
  {
    name: "flow",
    path: "/flow",
    ready: ".flow-map [data-node], .flow-list [data-node]",
    settle: 4000,
    task: flow,
  },
  { name: "sources", path: "/sources", ready: ".table tbody tr", task: sources },
  {
    name: "sources-add",
    path: "/sources?add=1",
    ready: ".dialog[open] pre, dialog[open] .code, dialog[open] textarea, dialog[open] input",
  },
  {
    name: "sources-file",
    path: "/sources",
    ready: ".table tbody tr",
    before: async (tab) => {
      await tab.locator(".table tbody tr").first().click();
      await tab.locator(".table tbody tr .mono").first().click();
      await tab.waitForSelector(".sources-line", { timeout: 15_000 });
    },
  },
  { name: "topics", path: "/messages", ready: ".table tbody tr" },
  { name: "messages", path: "/messages/topic-app-info", ready: ".message-row", task: messages },
  {
    name: "messages-one",
    path: "/messages/topic-app-info",
    ready: ".message-row",
    before: async (tab) => {
      await tab.locator(".table tbody tr").nth(2).click();
      await tab.waitForSelector(".json .value");
    },
  },
  { name: "messages-follow", path: "/messages/topic-app-info?follow=1", ready: ".message-row" },
  { name: "jobs", path: "/jobs", ready: ".table tbody tr", settle: 4500, task: jobs },
  { name: "job", path: "/jobs/demo", ready: ".plan-node", settle: 2500 },
  { name: "job-sql", path: "/jobs/demo?tab=sql", ready: ".cm-content" },
  { name: "job-versions", path: "/jobs/demo?tab=versions", ready: ".versions-list li" },
  { name: "job-savepoints", path: "/jobs/demo?tab=savepoints", ready: ".table" },
  { name: "job-letters", path: `/jobs/${LETTERS}?tab=letters`, ready: ".letters-line", task: letters },
  {
    name: "job-letter",
    path: `/jobs/${LETTERS}?tab=letters&state=all`,
    ready: ".letters-line",
    before: async (tab) => {
      await tab.locator(".letters-line").first().click();
      await tab.waitForSelector(".drawer textarea");
    },
  },
  {
    name: "job-preview",
    path: "/jobs/demo?tab=sql",
    ready: ".cm-content",
    before: async (tab) => {
      await tab.locator(".bench-panel select").first().selectOption("PREVIEW_START_EARLIEST");
      await tab.locator(".bench-panel .button").first().click();
      await tab.waitForSelector(".bench-cell", { timeout: 20_000 });
    },
  },
  { name: "job-new", path: "/jobs/new", ready: ".cm-content" },
  { name: "search", path: "/search?from=now-1h", ready: ".search-doc", settle: 1500, task: search },
  {
    name: "search-one",
    path: "/search?from=now-1h&q=kworker",
    ready: ".search-doc",
    before: async (tab) => {
      await tab.locator(".search-results tbody tr").nth(2).click();
      await tab.waitForSelector(".search-document");
    },
  },
  {
    name: "search-around",
    path: "/search?from=now-1h&q=kworker&columns=message",
    ready: ".search-doc",
    before: async (tab) => {
      await tab.locator(".search-results tbody tr").nth(2).click();
      await tab.locator(".drawer [role=tab]").nth(3).click();
      await tab.waitForSelector(".search-lines .here");
    },
  },
  { name: "search-live", path: "/search?live=1", ready: ".search-doc" },
  {
    name: "dashboards",
    path: "/dashboards",
    ready: ".table tbody tr",
    task: dashboards,
    // Its task saves over another's change.
    allows: /status of 409/,
  },
  { name: "dashboards-panel", path: "/dashboards?panel=new&index=oceanus_test2&query=kworker", ready: "dialog[open]" },
  { name: "dashboard-business", path: "/dashboards/business?from=now-1h", ready: ".dash-over canvas", settle: 2000 },
  { name: "dashboard-job", path: "/dashboards/job", ready: ".dash-number", settle: 3000 },
  { name: "dashboard-task", path: "/dashboards/task", ready: ".dash-over canvas", settle: 3000 },
  { name: "dashboard-cluster", path: "/dashboards/cluster", ready: ".dash-number", settle: 3000 },
  { name: "dashboard-closer", path: "/dashboards/business?from=now-1h", ready: ".dash-over canvas", before: closer },
  { name: "dashboard-edit", path: "/dashboards/e2e-all?edit=1", ready: ".dash-over canvas", settle: 2000 },
  { name: "dashboard-all", path: "/dashboards/e2e-all", ready: ".dash-over canvas", settle: 2500 },
  {
    name: "dashboard-panel",
    path: "/dashboards/e2e-all?edit=1&panel=p3",
    ready: ".dash-preview .dash-shares",
    settle: 1000,
  },
  {
    name: "dashboard-promql",
    path: "/dashboards/e2e-all?edit=1&panel=p1",
    ready: ".dash-preview canvas",
    settle: 1000,
  },
  ...alertPages,
  ...settingsPages,
];

// What needs somebody to log in: `--login`.
export const guarded = guardedPages;
