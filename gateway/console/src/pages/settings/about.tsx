import { useSession } from "@/api/session";
import { useText } from "@/i18n";
import { Frame } from "./frame";
import { text } from "./text";

/** About is which Weirflow this is. */
export function About() {
  const t = useText(text);
  const { version, environment } = useSession();
  const mod = navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl";
  return (
    <Frame view="about">
      <div className="settings-columns">
        <section className="section">
          <h2>Weirflow</h2>
          <p className="soft">{t.what}</p>
          <dl className="facts">
            <dt>{t.version}</dt>
            <dd className="num">{version || "–"}</dd>
            {environment && (
              <>
                <dt>{t.environment}</dt>
                <dd>{environment}</dd>
              </>
            )}
            <dt>{t.api}</dt>
            <dd>
              <a href="/openapi.json">/openapi.json</a> <span className="quiet">{t.apiHint}</span>
            </dd>
            <dt>{t.licence}</dt>
            <dd>Apache-2.0</dd>
          </dl>
        </section>
        <section className="section">
          <h2>{t.keys}</h2>
          <dl className="facts">
            <dt>
              <kbd>{mod}</kbd> <kbd>K</kbd>
            </dt>
            <dd>{t.keyPalette}</dd>
            <dt>
              <kbd>Esc</kbd>
            </dt>
            <dd>{t.keyClose}</dd>
            <dt>
              <kbd>↑</kbd> <kbd>↓</kbd>
            </dt>
            <dd>{t.keyRows}</dd>
          </dl>
        </section>
      </div>
    </Frame>
  );
}
