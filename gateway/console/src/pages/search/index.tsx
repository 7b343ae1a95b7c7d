import { Page } from "@/ui";

export default function SearchPage() {
  return <Page title="Search">{null}</Page>;
}
