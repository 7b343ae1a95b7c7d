import { describe, expect, it } from "vitest";
import { alike } from "./alike";
import { filebeatOf, onlyHere, reached, topicOf, wrongPath, wrongTopic } from "./filebeat";

describe("topicOf", () => {
  it.each([
    ["/var/log/shop/orders.log", "orders"],
    ["/var/log/shop/*.log", "shop"],
    ["/var/log/shop/app-*.log.*", "app"],
    ["/var/log/nginx/access.log.1", "access"],
    ["/var/log/nginx/access.log*", "access"],
    ["/srv/shop/logs/*.log", "shop"],
    ["/data/我的 日志/a b.json", "a-b"],
    ["C:\\logs\\Shop (1).txt", "Shop-1"],
    ["/*", "logs"],
    ["", "logs"],
  ])("%s is %s", (path, topic) => {
    expect(topicOf(path)).toBe(topic);
    expect(wrongTopic(topic)).toBeUndefined();
  });
});

describe("what is typed", () => {
  it("wants a whole path", () => {
    expect(wrongPath(" ")).toBe("needed");
    expect(wrongPath("app.log")).toBe("relative");
    expect(wrongPath("/a/*.log")).toBeUndefined();
    expect(wrongPath("C:\\a\\b.log")).toBeUndefined();
  });
  it("wants a name that Kafka takes", () => {
    expect(wrongTopic("")).toBe("needed");
    expect(wrongTopic("a b")).toBe("name");
    expect(wrongTopic("..")).toBe("name");
    expect(wrongTopic("a.b_c-1")).toBeUndefined();
  });
});

describe("filebeatOf", () => {
  it("is a filebeat.yml", () => {
    expect(filebeatOf({ path: "/var/log/shop/orders.log", topic: "orders", ingest: "127.0.0.1:7070" })).toBe(
      `filebeat.inputs:
- type: filestream
  id: orders
  paths:
  - /var/log/shop/orders.log

output.ingest:
  hosts: ["127.0.0.1:7070"]
  topic: orders
`,
    );
  });
  it("puts in quotes what YAML would read otherwise", () => {
    const yml = filebeatOf({ path: '/a/*: "x"#.log', topic: "1e3", ingest: "h:1" });
    expect(yml).toContain('  - "/a/*: \\"x\\"#.log"');
    expect(yml).toContain('topic: "1e3"');
    expect(filebeatOf({ path: "/a", topic: "on", ingest: "h:1" })).toContain('topic: "on"');
  });
});

it("onlyHere knows the machine's own addresses", () => {
  expect(onlyHere("127.0.0.1:7070")).toBe(true);
  expect(onlyHere("localhost:7070")).toBe(true);
  expect(onlyHere("[::1]:7070")).toBe(true);
  expect(onlyHere("logs.example.com:7070")).toBe(false);
});

it("alike finds agents of the same name", () => {
  const agents = [
    { id: "1", name: "vm" },
    { id: "2", name: "web" },
    { id: "3", name: "vm" },
  ];
  expect(alike(agents)).toEqual(["1", "3"]);
});

it("reached leaves no address that means any", () => {
  expect(reached("0.0.0.0:7070", "logs.example.com")).toBe("logs.example.com:7070");
  expect(reached("[::]:7070", "::1")).toBe("[::1]:7070");
  expect(reached(":7070", "web-1")).toBe("web-1:7070");
  expect(reached("10.0.0.1:7070", "web-1")).toBe("10.0.0.1:7070");
});
