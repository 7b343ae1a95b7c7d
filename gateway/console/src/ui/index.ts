// The parts that pages are built of.
export { LazyChart as TimeChart, type TimeSeries } from "./chart-lazy";
export { Badge, Button, Check, Copy, DelayedInput, Field, IconButton, Input, Select, type Tab, Tabs } from "./controls";
export { LazyEditor as CodeEditor } from "./editor-lazy";
export { Icon, type IconName } from "./icons";
export { type JsonPath, JsonTree, pathText } from "./json";
export { Confirm, Dialog, Drawer, Menu, type MenuItem, useToast } from "./overlays";
export { Page, type Place, Stream } from "./page";
export { Sparkline } from "./spark";
export { Empty, Failed, Loading, NotAllowed, Notice, QueryView } from "./states";
export { type ColumnDef, DataTable } from "./table";
export { TimeControls } from "./timerange";
