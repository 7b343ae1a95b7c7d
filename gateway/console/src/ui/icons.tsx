// Icons drawn for this console: 16 units wide, strokes of the text's colour.

const PATHS = {
  flow: "M2 4h3c2 0 2 4 4 4h5M2 12h3c2 0 2-4 4-4M11.5 5.5 14 8l-2.5 2.5",
  sources: "M4 1.8h5.5L13 5.2v9H4zM9.3 2v3.5H13M6.2 8.5h4.6M6.2 11h4.6",
  messages: "M2 3.5h12M2 8h12M2 12.5h7",
  jobs: "M2.5 3h4v4h-4zM9.5 9h4v4h-4zM6.5 5H9a2.5 2.5 0 0 1 2.5 2.5V9",
  search: "M7 12.2A5.2 5.2 0 1 0 7 1.8a5.2 5.2 0 0 0 0 10.4zM10.8 10.8l3.4 3.4",
  dashboards: "M2 13.5V2.5M2 13.5h12M4.8 10.5l2.7-4 2.6 2.4 3.4-5",
  alerts:
    "M8 1.8a4.2 4.2 0 0 0-4.2 4.2c0 4-1.6 5.2-1.6 5.2h11.6S12.2 10 12.2 6A4.2 4.2 0 0 0 8 1.8zM6.6 13.6a1.5 1.5 0 0 0 2.8 0",
  settings:
    "M2 4.5h6M11.5 4.5H14M2 11.5h2.5M8 11.5h6M9.7 6.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM6.2 13.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  left: "M10 4L6 8l4 4",
  up: "M4 10l4-4 4 4",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  check: "M3 8.5l3.3 3.3L13 5",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  play: "M4.5 2.8v10.4L13 8z",
  stop: "M4 4h8v8H4z",
  pause: "M5.5 3v10M10.5 3v10",
  refresh: "M13.2 8a5.2 5.2 0 1 1-1.6-3.7M13.5 1.8v3h-3",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z",
  system: "M2 3h12v8H2zM6 13.5h4",
  user: "M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8zM2.8 14c.4-2.9 2.5-4.5 5.2-4.5s4.8 1.6 5.2 4.5",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.5",
  filter: "M2 3.5h12L9.5 8.8v4.7l-3-1.5V8.8z",
  download: "M8 2v8M4.8 7.2L8 10.4l3.2-3.2M2.5 13.5h11",
  trash: "M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4",
  edit: "M2.5 13.5l.6-2.9 7.8-7.8 2.3 2.3-7.8 7.8z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  wrap: "M2 3.5h12M2 8h9.5a2 2 0 0 1 0 4.5H8M9.5 10.8L7.8 12.5l1.7 1.7M2 12.5h3",
  warn: "M8 2L1.5 13.5h13zM8 6.5v3.2M8 11.7v.1",
  share: "M6.5 9.5l6-6M8.5 3h4.5v4.5M12 10v3.5H2.5V4H6",
  link: "M6.6 9.4a2.9 2.9 0 0 0 4.1 0l2.2-2.2a2.9 2.9 0 0 0-4.1-4.1L7.6 4.3M9.4 6.6a2.9 2.9 0 0 0-4.1 0L3.1 8.8a2.9 2.9 0 0 0 4.1 4.1l1.2-1.2",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  star: "M8 2l1.8 3.8 4.2.6-3 2.9.7 4.2L8 11.5l-3.7 2 .7-4.2-3-2.9 4.2-.6z",
  language: "M2 3.5h7M5.5 2v1.5M7.5 3.5C7 6.5 4.5 8.8 2 9.8M3.5 6c1 1.8 2.5 3 4.5 3.8M8.5 14l3-7 3 7M9.5 12h4",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5L9 7M2.5 13.5L7 9",
} as const;

export type IconName = keyof typeof PATHS;

/** Icon is decoration: what it stands for is said in text or an aria-label beside it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.4 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
