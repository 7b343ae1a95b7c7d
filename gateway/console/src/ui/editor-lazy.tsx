import { lazy, Suspense } from "react";
import type { EditorProps } from "./editor";

const Editor = lazy(() => import("./editor"));

/** LazyEditor is the code editor; the library comes with the first one that is shown. */
export function LazyEditor(props: EditorProps) {
  return (
    <Suspense fallback={<div className="skeleton" style={{ height: props.minHeight ?? 200 }} />}>
      <Editor {...props} />
    </Suspense>
  );
}
