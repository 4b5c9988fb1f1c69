/** Asks before a release is told something, and says exactly what would follow. */

const byId = (id) => document.getElementById(id);

export class OrderDialog {
  #order;
  #onSaid;

  /** @param {(said: string) => void} onSaid hears what became of an order */
  constructor(onSaid) {
    this.#onSaid = onSaid;
    const dialog = byId("order");
    byId("order-cancel").addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  async ask({ path, release, choice }) {
    const actor = await whoAsks();
    if (byId("order").open) return;
    // Not undone when the dialog closes: that is told late, when the next order may be asked for already.
    this.#order = { path, release, choice };
    const word = wordOf(choice.command, release.phase);
    byId("order-title").textContent = `${capitalized(word)}: ${release.release}`;
    byId("order-consequence").textContent = choice.consequence;
    byId("order-actor").textContent = actor;
    byId("order-refusal").textContent = "";
    const reason = byId("order-reason");
    reason.value = "";
    // A yes or a no of a person is asked for its reason.
    reason.required = choice.command.kind === "approve" || choice.command.kind === "reject";
    byId("order-confirm").textContent = capitalized(word);
    byId("order").showModal();
    byId("order-reason").focus();
  }

  async #send() {
    if (this.#order === undefined) return;
    const { path, release, choice } = this.#order;
    const reason = byId("order-reason").value.trim();
    const body = { command: choice.command, ...(reason === "" ? {} : { reason }) };
    byId("order-confirm").disabled = true;
    try {
      const answer = await fetch(`${path}/orders`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const said = await answer.json();
      if (!answer.ok) throw new Error(said.hint === null ? said.message : `${said.message} ${said.hint}`);
      byId("order").close();
      this.#onSaid(
        `${release.release}: ${wordOf(choice.command, release.phase)}, and now ${said.message.replace(/[.?!]$/u, "")}.`,
      );
    } catch (error) {
      byId("order-refusal").textContent = error instanceof TypeError ? "kirikae up does not answer." : error.message;
    } finally {
      byId("order-confirm").disabled = false;
    }
  }
}

/** The button of a command, which is the word of the command line. */
export function wordOf({ kind, full }, phase) {
  if (kind === "rollback") return phase === "rolledBack" ? "undo the way back" : "roll back";
  return kind === "promote" && full ? "promote fully" : kind;
}

async function whoAsks() {
  const answer = await fetch("/v1/session");
  if (!answer.ok) return "";
  const { actor } = await answer.json();
  return actor === null ? "" : `The history will say: by ${actor}`;
}

function capitalized(word) {
  return `${word[0].toUpperCase()}${word.slice(1)}`;
}
