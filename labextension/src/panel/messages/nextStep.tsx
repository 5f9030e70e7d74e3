/** What can be done about a failed reply, besides trying again. */
import React from "react";

import { focusInput, useModels, useTools } from "../context";
import { askForKey } from "../models/keys";
import { COMPATIBLE } from "../../stores/modelChoice";
import { openPicker } from "../models/modelName";
import { ErrorInfo } from "../../wire/protocol";

const KEY = new Set(["missing_key", "key_refused", "forbidden", "invalid_key"]);
const ADDRESS = new Set(["wrong_address"]);
const CHOOSE = new Set([
  "no_model",
  "unknown_model",
  "model_not_found",
  "model_not_allowed",
  "missing_package",
  "context_too_long",
  "local_model_memory",
  "unstoppable_model",
  "quota_exceeded",
  "provider_memory",
  ...ADDRESS,
  ...KEY,
]);

export function NextStep(props: {
  error: ErrorInfo | undefined;
  model: string | undefined;
}): JSX.Element | null {
  const { models, trans } = useTools();
  const { list, local } = useModels();
  const { error } = props;
  const code = error?.code ?? "";
  if (code === "local_model_missing") {
    return local?.state === "installed" ? null : (
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={(event) => openPicker(event.currentTarget)}
      >
        {trans.__("Install it, or choose another model")}
      </button>
    );
  }
  if (!CHOOSE.has(code)) {
    return null;
  }
  const name = props.model?.split(":")[0];
  const provider = list?.providers.find((one) => one.name === name);
  const gives = KEY.has(code) || (ADDRESS.has(code) && name === COMPATIBLE);
  const wantsKey = gives && (list === null || provider?.may_give);
  return (
    <>
      {wantsKey && (
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={(event) => {
            const button = event.currentTarget;
            void (async () => {
              await models.load();
              const known = models
                .getSnapshot()
                .list?.providers.find((one) => one.name === name);
              if (known?.may_give) {
                await askForKey(models, known, trans);
                focusInput();
              } else {
                openPicker(button);
              }
            })();
          }}
        >
          {ADDRESS.has(code)
            ? trans.__("Change the address")
            : code === "missing_key"
              ? trans.__("Add a key")
              : trans.__("Change the key")}
        </button>
      )}
      {!list?.locked && (
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={(event) => openPicker(event.currentTarget)}
        >
          {trans.__("Choose another model")}
        </button>
      )}
    </>
  );
}
