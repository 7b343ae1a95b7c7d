// What the end-to-end run opens: every page, what shows that it has its data, and its task.
export const pages = [
  {
    name: "flow",
    path: "/flow",
    ready: ".flow-map [data-node], .flow-list [data-node]",
    settle: 4000,
  },
  { name: "sources", path: "/sources", ready: ".table tbody tr" },
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
  { name: "messages", path: "/messages/topic-app-info", ready: ".message-row" },
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
  { name: "jobs", path: "/jobs", ready: ".table tbody tr" },
];
