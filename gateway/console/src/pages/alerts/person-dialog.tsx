import { useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import { Button, Dialog, Field, Input, Notice, useToast } from "@/ui";
import { text } from "./oncall-text";
import { Pairs } from "./pairs";
import { isName, type Person } from "./rota";

/** PersonDialog adds a person or changes one: without a name, it is a new one. */
export function PersonDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const t = useText(text);
  const toast = useToast();
  const [name, setName] = useState(person.name ?? "");
  const [displayName, setDisplayName] = useState(person.displayName ?? "");
  const [contacts, setContacts] = useState<[string, string][]>(Object.entries(person.contacts ?? {}));
  const save = useChange(
    [["people"], ["oncall"]],
    () =>
      api.put("/api/v1/people/{name}", {
        path: { name: name },
        body: {
          displayName: displayName.trim(),
          contacts: Object.fromEntries(contacts.filter(([kind, value]) => kind.trim() && value.trim())),
        },
      }),
    {
      tell: false,
      onDone: () => {
        toast({ message: t.saved(name) });
        onClose();
      },
    },
  );
  return (
    <Dialog
      title={person.name ? `${t.edit}: ${person.name}` : t.newPerson}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={!isName(name) || save.isPending} onClick={() => save.mutate()}>
            {t.save}
          </Button>
        </>
      }
    >
      <div className="form">
        <div className="form-row">
          <Field
            label={t.name}
            hint={name && !isName(name) ? <span className="bad">{t.problem.name}</span> : t.nameHint}
          >
            <Input value={name} disabled={person.name !== undefined} onChange={(e) => setName(e.target.value)} />
          </Field>
          <Field label={t.displayName}>
            <Input value={displayName} maxLength={200} onChange={(e) => setDisplayName(e.target.value)} />
          </Field>
        </div>
        <fieldset>
          <legend>{t.contacts}</legend>
          <p className="quiet small">{t.contactsHint}</p>
          <Pairs
            of={contacts}
            texts={t}
            names={["phone", "email", "wecom", "dingtalk", "feishu"]}
            onValue={setContacts}
          />
        </fieldset>
        {save.error && <Notice tone="bad">{save.error.message}</Notice>}
      </div>
    </Dialog>
  );
}
