import { num } from "@/api/numbers";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { Drawer } from "@/ui";
import { text } from "./text";
import { records, type Topic } from "./topics";

/** TopicDetails shows a topic's partitions and settings. */
export function TopicDetails({ topic, onClose }: { topic: Topic; onClose: () => void }) {
  const t = useText(text);
  const config = Object.entries(topic.config ?? {}).sort(([a], [b]) => a.localeCompare(b));
  return (
    <Drawer title={topic.name ?? ""} onClose={onClose}>
      <div className="column wide-gap">
        <dl className="facts">
          <dt>{t.records}</dt>
          <dd className="num">{whole(records(topic))}</dd>
          <dt>{t.partitions}</dt>
          <dd className="num">{topic.partitions?.length ?? 0}</dd>
        </dl>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t.partition}</th>
              <th scope="col" className="right">
                {t.offsets}
              </th>
              <th scope="col" className="right">
                {t.records}
              </th>
              <th scope="col" className="right">
                {t.leader}
              </th>
              <th scope="col">{t.inSync}</th>
            </tr>
          </thead>
          <tbody>
            {(topic.partitions ?? []).map((p) => (
              <tr key={p.id}>
                <td className="num">{p.id}</td>
                <td className="num right">
                  {whole(num(p.low))} – {whole(num(p.high))}
                </td>
                <td className="num right">{whole(num(p.high) - num(p.low))}</td>
                <td className="num right">{p.leader}</td>
                <td className="num">
                  {(p.inSyncReplicas ?? []).length}/{(p.replicas ?? []).length}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {config.length > 0 && (
          <section className="section">
            <h3>{t.config}</h3>
            <dl className="facts mono">
              {config.map(([name, value]) => (
                <div key={name} className="messages-header">
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </section>
        )}
      </div>
    </Drawer>
  );
}
